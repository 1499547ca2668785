import * as tf from '@tensorflow/tfjs-core'
import { inputGradientInfo } from './convolution.ts'
import { floats } from './heap.ts'
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

function conv2dBackpropInput({ inputs, attrs, backend }: WasmKernelArgs): tf.TensorInfo | null {
  const info = inputGradientInfo(input(inputs, 'filter'), attrs)
  if (info.dataFormat !== 'channelsLast' || info.strideHeight !== 1 || info.strideWidth !== 1) return null
  const top = info.filterHeight - 1 - info.padInfo.top
  const bottom = info.inHeight + info.filterHeight - 1 - info.outHeight - top
  const left = info.filterWidth - 1 - info.padInfo.left
  const right = info.inWidth + info.filterWidth - 1 - info.outWidth - left
  if (top < 0 || bottom < 0 || left < 0 || right < 0) return null
  const rotatedShape: [number, number, number, number] = [
    info.filterHeight,
    info.filterWidth,
    info.outChannels,
    info.inChannels,
  ]
  const rotated = backend.makeOutput(rotatedShape, 'float32')
  rotate(floats(backend, input(inputs, 'filter')), info, floats(backend, rotated))
  const filter = tf.engine().makeTensorFromTensorInfo(rotated)
  try {
    const pad = [
      [0, 0],
      [top, bottom],
      [left, right],
      [0, 0],
    ]
    const attrs = { strides: [1, 1], dilations: [1, 1], pad, dataFormat: 'NHWC', dimRoundingMode: '' }
    return tf.engine().runKernel<tf.Tensor>(tf.Conv2D, { x: tensor4(inputs, 'dy'), filter }, attrs)
  } finally {
    filter.dispose()
  }
}

/** By 180 degrees, and from [rows, columns, in, out] to [rows, columns, out, in]. */
function rotate(filter: Float32Array, info: tf.backend_util.Conv2DInfo, out: Float32Array): void {
  const { inChannels, outChannels, filterHeight, filterWidth } = info
  const taps = filterHeight * filterWidth
  const size = inChannels * outChannels
  for (let tap = 0; tap < taps; tap++) {
    const from = (taps - 1 - tap) * size
    const to = tap * size
    for (let c = 0; c < inChannels; c++) {
      for (let o = 0; o < outChannels; o++) out[to + o * inChannels + c] = filter[from + c * outChannels + o] ?? 0
    }
  }
}
