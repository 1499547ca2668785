import * as tf from '@tensorflow/tfjs-core'
import { filterGradientInfo } from './convolution.ts'
import { input, registerWasmKernel, tensor4 } from './register.ts'
import type { WasmKernelArgs } from './register.ts'

/**
 * Gradient of a convolution with respect to its filter, which tfjs-backend-wasm does not have, through its fast forward
 * convolution: x with channels as batch is convolved with dy with batch as channels, dilated by the stride.
 * x [n, h, w, c], dy [n, oh, ow, o] -> [kh, kw, c, o]. Any stride, padding and size; channels last.
 */
export function registerConv2dBackpropFilter(): void {
  registerWasmKernel(tf.Conv2DBackpropFilter, conv2dBackpropFilter)
}

function conv2dBackpropFilter({ inputs, attrs }: WasmKernelArgs): tf.TensorInfo {
  const info = filterGradientInfo(input(inputs, 'x'), attrs)
  if (info.dataFormat !== 'channelsLast') throw new Error('Conv2DBackpropFilter takes channels-last tensors only.')
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
