import * as tf from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { shape4 } from '../convolution.ts'
import { input } from '../register.ts'
import { registerWebgpuKernel, runByElement } from './program.ts'

const attrsSchema = z.object({ alignCorners: z.boolean(), halfPixelCenters: z.boolean().optional() })

/**
 * Gradient of bilinear resizing, for all of its variants. (The shipped kernel gives zero for an image of one pixel
 * and knows no half-pixel centres.) dy [n, oh, ow, c], images [n, h, w, c] -> [n, h, w, c].
 */
export function registerResizeBilinearGrad(): void {
  registerWebgpuKernel(tf.ResizeBilinearGrad, ({ inputs, attrs, backend }) => {
    const [images, dy] = [input(inputs, 'images'), input(inputs, 'dy')]
    const { alignCorners, halfPixelCenters } = attrsSchema.parse(attrs)
    const [, height, width] = shape4.parse(images.shape)
    const [, outHeight, outWidth] = shape4.parse(dy.shape)
    const vertical = ratio(height, outHeight, alignCorners)
    const horizontal = ratio(width, outWidth, alignCorners)
    return runByElement(
      backend,
      {
        key: 'resizeBilinearGrad',
        inputs: [{ name: 'dy', tensor: dy }],
        outputShape: images.shape,
        uniforms: [
          // An output pixel at o reads the input at (o + half / 2) * over / under - half / 2.
          { name: 'over', values: [vertical.over, horizontal.over] },
          { name: 'under', values: [vertical.under, horizontal.under] },
          { name: 'half', values: [halfPixelCenters === true ? 1 : 0] },
        ],
      },
      CODE,
    )
  })
}

function ratio(size: number, outSize: number, alignCorners: boolean): { over: number; under: number } {
  return alignCorners && outSize > 1 ? { over: size - 1, under: outSize - 1 } : { over: size, under: outSize }
}

/** Per axis: the range of outputs that read near this pixel, then each one's weight for it, zero where it reads beside it. */
const CODE = `
  let pixel = coords.yz;
  let size = uniforms.outShape.yz;
  let outSize = uniforms.dyShape.yz;
  let scale = vec2<f32>(uniforms.over) / vec2<f32>(uniforms.under);
  let shift = 0.5 * f32(uniforms.half);
  var first = vec2<i32>(0);
  var last = outSize - 1;
  for (var axis = 0; axis < 2; axis++) {
    if (uniforms.over[axis] == 0) { continue; }
    if (pixel[axis] > 0) {
      first[axis] = max(0, i32(floor((f32(pixel[axis] - 1) + shift) / scale[axis] - shift)) - 1);
    }
    if (pixel[axis] < size[axis] - 1) {
      last[axis] = min(last[axis], i32(ceil((f32(pixel[axis] + 1) + shift) / scale[axis] - shift)) + 1);
    }
  }
  var sum = 0.0;
  for (var oy = first.x; oy <= last.x; oy++) {
    for (var ox = first.y; ox <= last.y; ox++) {
      let place = max(vec2<f32>(0.0), (vec2<f32>(vec2<i32>(oy, ox)) + shift) * scale - shift);
      let low = min(vec2<i32>(floor(place)), size - 1);
      let high = min(vec2<i32>(ceil(place)), size - 1);
      let part = place - floor(place);
      let weight = select(vec2<f32>(0.0), 1.0 - part, low == pixel) + select(vec2<f32>(0.0), part, high == pixel);
      sum += weight.x * weight.y * getDy(coords.x, oy, ox, coords.w);
    }
  }
  return sum;`
