import * as tf from '@tensorflow/tfjs-core'
import { inputGradientInfo } from './convolution.ts'
import { input, registerWasmKernel, tensor4 } from './register.ts'
import type { WasmKernelArgs } from './register.ts'

/**
 * Gradient of a convolution with respect to its input: the forward convolution of dy with the filter rotated by 180
 * degrees and its channels swapped. The kernel that ships is a plain loop; it stays for strides above 1 and for padding
 * wider than the filter, where the forward convolution does not apply.
 * dy [n, oh, ow, o], filter [kh, kw, c, o] -> [n, h, w, c]; channels last.
 */
export function registerConv2dBackpropInput(): void {
  const shipped = registerWasmKernel(tf.Conv2DBackpropInput, (args) => {
    const result = conv2dBackpropInput(args)
    if (result !== null) return result
    if (shipped === undefined) throw new Error('No kernel for this Conv2DBackpropInput.')
    const plain = shipped({ inputs: args.inputs, backend: args.backend, ...(args.attrs ? { attrs: args.attrs } : {}) })
    if (Array.isArray(plain)) throw new Error('Conv2DBackpropInput has one output.')
    return plain
  })
}

function conv2dBackpropInput({ inputs, attrs }: WasmKernelArgs): tf.TensorInfo | null {
  const info = inputGradientInfo(input(inputs, 'filter'), attrs)
  if (info.dataFormat !== 'channelsLast' || info.strideHeight !== 1 || info.strideWidth !== 1) return null
  const top = info.filterHeight - 1 - info.padInfo.top
  const bottom = info.inHeight + info.filterHeight - 1 - info.outHeight - top
  const left = info.filterWidth - 1 - info.padInfo.left
  const right = info.inWidth + info.filterWidth - 1 - info.outWidth - left
  if (top < 0 || bottom < 0 || left < 0 || right < 0) return null
  return tf.tidy(() => {
    const rotated = tf.transpose(tf.reverse(tensor4(inputs, 'filter'), [0, 1]), [0, 1, 3, 2])
    return tf.conv2d(tensor4(inputs, 'dy'), rotated, 1, [
      [0, 0],
      [top, bottom],
      [left, right],
      [0, 0],
    ])
  })
}
