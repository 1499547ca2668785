import * as tf from '@tensorflow/tfjs-core'
import { filterGradientInfo } from './convolution.ts'
import { address, floats } from './heap.ts'
import { input, registerWasmKernel, tensor4 } from './register.ts'
import { simd } from './simdFunctions.ts'
import type { WasmKernelArgs } from './register.ts'

/**
 * Gradient of a convolution with respect to its filter, which tfjs-backend-wasm does not have. At stride 1 with output
 * channels in multiples of four, a tap at a time by a SIMD function; else through the backend's forward convolution: x
 * with channels as batch is convolved with dy with batch as channels, dilated by the stride.
 * x [n, h, w, c], dy [n, oh, ow, o] -> [kh, kw, c, o]. Any stride, padding and size; channels last.
 */
export function registerConv2dBackpropFilter(): void {
  registerWasmKernel(tf.Conv2DBackpropFilter, conv2dBackpropFilter)
}

function conv2dBackpropFilter(args: WasmKernelArgs): tf.TensorInfo {
  const info = filterGradientInfo(input(args.inputs, 'x'), args.attrs)
  if (info.dataFormat !== 'channelsLast') throw new Error('Conv2DBackpropFilter takes channels-last tensors only.')
  const direct = info.strideHeight === 1 && info.strideWidth === 1 && info.outChannels % 4 === 0
  return direct ? tapByTap(args, info) : byForwardConvolution(args, info)
}

/** Each tap of the filter pairs a window of x with one of dy of the same size; padding pairs with nothing. */
function tapByTap({ inputs, backend }: WasmKernelArgs, info: tf.backend_util.Conv2DInfo): tf.TensorInfo {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, padInfo } = info
  const out = backend.makeOutput(info.filterShape, 'float32')
  floats(backend, out).fill(0)
  const functions = simd(backend)
  const run = inChannels % 4 === 0 ? functions.filterGradient4 : functions.filterGradient1
  const [x, dy, dw] = [input(inputs, 'x'), input(inputs, 'dy'), out].map((tensor) => address(backend, tensor))
  if (x === undefined || dy === undefined || dw === undefined) throw new Error('Three addresses are needed.')
  const [xPixel, dyPixel] = [4 * inChannels, 4 * outChannels]
  const [xRow, dyRow] = [inWidth * xPixel, outWidth * dyPixel]
  for (let n = 0; n < batchSize; n++) {
    for (let i = 0; i < info.filterHeight; i++) {
      const [top, rows] = paired(i - padInfo.top, inHeight, outHeight)
      for (let j = 0; j < info.filterWidth; j++) {
        const [left, columns] = paired(j - padInfo.left, inWidth, outWidth)
        if (rows <= 0 || columns <= 0) continue
        const xStart = x + (n * inHeight + top + i - padInfo.top) * xRow + (left + j - padInfo.left) * xPixel
        const dyStart = dy + (n * outHeight + top) * dyRow + left * dyPixel
        const tap = dw + (i * info.filterWidth + j) * inChannels * dyPixel
        run(xStart, dyStart, tap, rows, columns, xRow, dyRow, inChannels, outChannels)
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
