import * as tf from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { pair, shape4 } from '../convolution.ts'
import { input } from '../register.ts'
import { registerWebgpuKernel, runByElement } from './program.ts'

const attrsSchema = z.object({
  filterSize: pair,
  strides: pair,
  pad: z.union([z.enum(['same', 'valid']), z.number()]),
  dimRoundingMode: z.enum(['floor', 'round', 'ceil']).nullish(),
})

/**
 * Gradient of max pooling as kernels/maxPoolGrad.ts has it: to the first pixel of each window, in row order, that holds
 * the maximum. (The shipped kernel takes the last one: after a ReLU many windows hold nothing but zeros, and the same
 * training would go another way than on the other rungs.) dy [n, oh, ow, c], input [n, h, w, c] -> [n, h, w, c].
 */
export function registerMaxPoolGrad(): void {
  registerWebgpuKernel(tf.MaxPoolGrad, ({ inputs, attrs, backend }) => {
    const x = input(inputs, 'input')
    const { filterSize, strides, pad, dimRoundingMode } = attrsSchema.parse(attrs)
    const shape = shape4.parse(x.shape)
    const info = tf.backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode ?? undefined)
    return runByElement(
      backend,
      {
        key: 'maxPoolGrad',
        inputs: [
          { name: 'dy', tensor: input(inputs, 'dy') },
          { name: 'x', tensor: x },
        ],
        outputShape: x.shape,
        uniforms: [
          { name: 'window', values: [info.filterHeight, info.filterWidth] },
          { name: 'strides', values: [info.strideHeight, info.strideWidth] },
          { name: 'pads', values: [info.padInfo.top, info.padInfo.left] },
        ],
      },
      CODE,
    )
  })
}

/** A pixel is the first maximum of a window when nothing before it is as large and nothing after it larger. */
const CODE = `
  let value = f32(x[index]);
  let place = coords.yz + uniforms.pads;
  let first = max(vec2<i32>(0), (place - uniforms.window + uniforms.strides) / uniforms.strides);
  let last = min(uniforms.dyShape.yz - 1, place / uniforms.strides);
  var sum = 0.0;
  for (var oy = first.x; oy <= last.x; oy++) {
    for (var ox = first.y; ox <= last.y; ox++) {
      let corner = vec2<i32>(oy, ox) * uniforms.strides - uniforms.pads;
      let start = max(corner, vec2<i32>(0));
      let end = min(corner + uniforms.window, uniforms.xShape.yz);
      var holds = true;
      for (var iy = start.x; iy < end.x; iy++) {
        for (var ix = start.y; ix < end.y; ix++) {
          let other = getX(coords.x, iy, ix, coords.w);
          let before = iy < coords.y || (iy == coords.y && ix < coords.z);
          holds = holds && !(other > value || (before && other == value));
        }
      }
      sum += select(0.0, getDy(coords.x, oy, ox, coords.w), holds);
    }
  }
  return sum;`
