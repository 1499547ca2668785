import * as tf from '@tensorflow/tfjs-core'
import { filterGradientInfo } from './convolution.ts'
import { address, floats } from './heap.ts'
import { input, registerWasmKernel, tensor4 } from './register.ts'
import { simd } from './simdFunctions.ts'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import type { WasmKernelArgs } from './register.ts'

/**
 * Gradient of a convolution with respect to its filter, which tfjs-backend-wasm does not have. At stride 1, a tap at
 * a time by a SIMD function; else through the backend's forward convolution: x with channels as batch is convolved with
 * dy with batch as channels, dilated by the stride.
 * x [n, h, w, c], dy [n, oh, ow, o] -> [kh, kw, c, o]. Any stride, padding and size; channels last.
 */
export function registerConv2dBackpropFilter(): void {
  registerWasmKernel(tf.Conv2DBackpropFilter, conv2dBackpropFilter)
}

function conv2dBackpropFilter(args: WasmKernelArgs): tf.TensorInfo {
  const info = filterGradientInfo(input(args.inputs, 'x'), args.attrs)
  if (info.dataFormat !== 'channelsLast') throw new Error('Conv2DBackpropFilter takes channels-last tensors only.')
  return info.strideHeight === 1 && info.strideWidth === 1 ? tapByTap(args, info) : byForwardConvolution(args, info)
}

function tapByTap({ inputs, backend }: WasmKernelArgs, info: tf.backend_util.Conv2DInfo): tf.TensorInfo {
  const [x, dy] = [input(inputs, 'x'), input(inputs, 'dy')]
  const { outChannels } = info
  const filled = 4 * Math.ceil(outChannels / 4)
  if (filled === outChannels) return directly(backend, info, x, dy, outChannels)
  const wideDy = widened(backend, dy, outChannels, filled)
  const wide = directly(backend, info, x, wideDy, filled)
  const out = widened(backend, { ...wide, shape: info.filterShape }, filled, outChannels)
  backend.disposeData(wideDy.dataId)
  backend.disposeData(wide.dataId)
  return out
}

/** Copies rows of `from` channels into rows of `to` channels: with zeros behind, or cut off. */
function widened(backend: BackendWasm, tensor: tf.TensorInfo, from: number, to: number): tf.TensorInfo {
  const rows = tensor.shape.slice(0, -1).reduce((a, b) => a * b, 1)
  const out = backend.makeOutput([...tensor.shape.slice(0, -1), to], 'float32')
  const source = floats(backend, { ...tensor, shape: [rows, from] })
  const target = floats(backend, out)
  for (let row = 0; row < rows; row++) {
    for (let c = 0; c < to; c++) target[row * to + c] = c < from ? (source[row * from + c] ?? 0) : 0
  }
  return out
}

/** Each tap of the filter pairs a window of x with one of dy of the same size; padding pairs with nothing. */
function directly(
  backend: BackendWasm,
  info: tf.backend_util.Conv2DInfo,
  x: tf.TensorInfo,
  dy: tf.TensorInfo,
  outChannels: number,
): tf.TensorInfo {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, padInfo, filterHeight, filterWidth } = info
  const out = backend.makeOutput([filterHeight, filterWidth, inChannels, outChannels], 'float32')
  floats(backend, out).fill(0)
  const { filterGradient1, filterGradient4 } = simd(backend)
  const [image, outer, weights] = [address(backend, x), address(backend, dy), address(backend, out)]
  const [xPixel, dyPixel] = [4 * inChannels, 4 * outChannels]
  const [xRow, dyRow] = [inWidth * xPixel, outWidth * dyPixel]
  const fours = Math.floor(inChannels / 4)
  for (let n = 0; n < batchSize; n++) {
    for (let i = 0; i < filterHeight; i++) {
      const [top, rows] = paired(i - padInfo.top, inHeight, outHeight)
      for (let j = 0; j < filterWidth; j++) {
        const [left, columns] = paired(j - padInfo.left, inWidth, outWidth)
        if (rows <= 0 || columns <= 0) continue
        const a = image + (n * inHeight + top + i - padInfo.top) * xRow + (left + j - padInfo.left) * xPixel
        const b = outer + (n * outHeight + top) * dyRow + left * dyPixel
        const dw = weights + (i * filterWidth + j) * inChannels * dyPixel
        const extent = [rows, columns, xRow, dyRow, inChannels, outChannels] as const
        if (fours > 0) filterGradient4(a, b, dw, ...extent, fours)
        const done = 4 * fours
        if (done < inChannels) filterGradient1(a + 4 * done, b, dw + done * dyPixel, ...extent, inChannels - done)
      }
    }
  }
  return out
}

/** Of the output indices, the first and how many have their input index, shifted by `shift`, inside the image. */
function paired(shift: number, inSize: number, outSize: number): [first: number, count: number] {
  const first = Math.max(0, -shift)
  return [first, Math.min(outSize, inSize - shift) - first]
}

function byForwardConvolution({ inputs }: WasmKernelArgs, info: tf.backend_util.Conv2DInfo): tf.TensorInfo {
  return tf.tidy(() => {
    const x = tensor4(inputs, 'x')
    const dy = tensor4(inputs, 'dy')
    // What the window needs of x on each side, which may be less than all of it or more (padding).
    const rows = (info.outHeight - 1) * info.strideHeight + info.filterHeight
    const columns = (info.outWidth - 1) * info.strideWidth + info.filterWidth
    const padded = tf.pad4d(x, [
      [0, 0],
      [info.padInfo.top, Math.max(0, rows - info.inHeight - info.padInfo.top)],
      [info.padInfo.left, Math.max(0, columns - info.inWidth - info.padInfo.left)],
      [0, 0],
    ])
    const used = tf.slice4d(padded, [0, 0, 0, 0], [info.batchSize, rows, columns, info.inChannels])
    const image = tf.transpose(used, [3, 1, 2, 0])
    const filter = tf.transpose(dy, [1, 2, 0, 3])
    const gradient = tf.conv2d(image, filter, 1, 'valid', 'NHWC', [info.strideHeight, info.strideWidth])
    return tf.transpose(gradient, [1, 2, 0, 3])
  })
}
