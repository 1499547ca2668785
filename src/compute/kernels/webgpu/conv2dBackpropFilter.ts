import * as tf from '@tensorflow/tfjs-core'
import { filterGradientInfo } from '../convolution.ts'
import { input } from '../register.ts'
import { registerWebgpuKernel, runByElement, runByGroup, shippedKernel } from './program.ts'

/** Rows (tap and input channel), columns (output channel) and pixels that a work group of 64 takes at a time. */
const TILE = 16
/** So many work groups occupy a large card; fewer pixels than this in one would cost more in sums than they save. */
const GROUPS = 2048
const LEAST_PIXELS = 256

/**
 * Gradient of a convolution by its filter: x [n, h, w, ci], dy [n, oh, ow, co] -> [kh, kw, ci, co]; channels last, any
 * stride and padding. It is the product of two matrices with few rows and columns and tens of thousands of pixels
 * between them, so the pixels are split over work groups, whose sums are then added up in order: the same on each run.
 * (The shipped kernel lets one invocation an element walk over all pixels: a few hundred of a card's thousands work.)
 */
export function registerConv2dBackpropFilter(): void {
  const shipped = shippedKernel(tf.Conv2DBackpropFilter)
  registerWebgpuKernel(tf.Conv2DBackpropFilter, ({ inputs, attrs = {}, backend }) => {
    const [x, dy] = [input(inputs, 'x'), input(inputs, 'dy')]
    if (attrs.dataFormat === 'NCHW') return shipped({ inputs, attrs, backend })
    const info = filterGradientInfo(x, attrs)
    const rows = info.filterHeight * info.filterWidth * info.inChannels
    const columns = info.outChannels
    const pixels = info.batchSize * info.outHeight * info.outWidth
    const tiles = Math.ceil(rows / TILE) * Math.ceil(columns / TILE)
    const share = Math.max(LEAST_PIXELS, (pixels * tiles) / GROUPS)
    const steps = Math.ceil(Math.min(pixels, share) / TILE)
    const parts = Math.ceil(pixels / (steps * TILE))
    const partial = runByGroup(
      backend,
      {
        key: 'conv2dBackpropFilter',
        inputs: [
          { name: 'x', tensor: x },
          { name: 'dy', tensor: dy },
        ],
        outputShape: [parts, rows, columns],
        uniforms: [
          { name: 'filterWidth', values: [info.filterWidth] },
          { name: 'steps', values: [steps] },
          { name: 'strides', values: [info.strideHeight, info.strideWidth] },
          { name: 'pads', values: [info.padInfo.top, info.padInfo.left] },
        ],
      },
      [Math.ceil(columns / TILE), Math.ceil(rows / TILE), parts],
      CODE,
    )
    const gradient = runByElement(
      backend,
      {
        key: 'sumOfParts',
        inputs: [{ name: 'parts', tensor: partial }],
        outputShape: info.filterShape,
        uniforms: [],
      },
      SUM_CODE,
    )
    backend.disposeData(partial.dataId)
    return gradient
  })
}

const SUM_CODE = `
  var sum = 0.0;
  for (var part = 0; part < uniforms.partsShape.x; part++) { sum += f32(parts[part * uniforms.size + index]); }
  return sum;`

/** Each invocation loads one row and one column of four pixels a step, and adds up a square of 2 x 2 of the tile. */
const CODE = `
  var<workgroup> ofX : array<array<f32, ${TILE}>, ${TILE}>;
  var<workgroup> ofDy : array<array<f32, ${TILE}>, ${TILE}>;

  fn main() {
    let rows = uniforms.outShape.y;
    let columns = uniforms.outShape.z;
    let outWidth = uniforms.dyShape.z;
    let outPixels = uniforms.dyShape.y * outWidth;
    let pixels = uniforms.dyShape.x * outPixels;
    let channels = uniforms.xShape.w;
    let corner = vec2<i32>(i32(workgroupId.y), i32(workgroupId.x)) * ${TILE};
    let start = i32(workgroupId.z) * uniforms.steps * ${TILE};
    let lane = i32(localIndex) % ${TILE};
    let firstPixel = i32(localIndex) / ${TILE};
    let row = corner.x + lane;
    let column = corner.y + lane;
    let tap = row / channels;
    let channel = row % channels;
    let offset = vec2<i32>(tap / uniforms.filterWidth, tap % uniforms.filterWidth) - uniforms.pads;
    let mine = 2 * vec2<i32>(i32(localIndex) / 8, i32(localIndex) % 8);
    var sums = vec4<f32>(0.0);
    for (var step = 0; step < uniforms.steps; step++) {
      for (var k = firstPixel; k < ${TILE}; k += ${64 / TILE}) {
        let pixel = start + step * ${TILE} + k;
        var a = 0.0;
        var b = 0.0;
        if (pixel < pixels) {
          let image = pixel / outPixels;
          let inImage = pixel % outPixels;
          let at = vec2<i32>(inImage / outWidth, inImage % outWidth) * uniforms.strides + offset;
          if (row < rows && all(at >= vec2<i32>(0)) && all(at < uniforms.xShape.yz)) {
            a = getX(image, at.x, at.y, channel);
          }
          if (column < columns) { b = f32(dy[pixel * columns + column]); }
        }
        ofX[k][lane] = a;
        ofDy[k][lane] = b;
      }
      workgroupBarrier();
      for (var k = 0; k < ${TILE}; k++) {
        let a = vec2<f32>(ofX[k][mine.x], ofX[k][mine.x + 1]);
        let b = vec2<f32>(ofDy[k][mine.y], ofDy[k][mine.y + 1]);
        sums += vec4<f32>(a.x * b, a.y * b);
      }
      workgroupBarrier();
    }
    for (var i = 0; i < 4; i++) {
      let outRow = corner.x + mine.x + i / 2;
      let outColumn = corner.y + mine.y + i % 2;
      if (outRow < rows && outColumn < columns) {
        setOutputAtCoords(i32(workgroupId.z), outRow, outColumn, sums[i]);
      }
    }
  }`
