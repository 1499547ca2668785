import * as tf from '@tensorflow/tfjs-core'
import { hasKernel } from '../kernels/available.ts'
import { keepFor, one, present, run } from './kernelCalls.ts'

type Pair = readonly [rows: number, columns: number]

/** A convolution with strides or dilations, or a depthwise one: layers that our own networks do not have. */
export interface GeneralConvolution {
  /** [rows, columns, c, o]; depthwise [rows, columns, c, m] with m outputs an input channel. */
  readonly filter: tf.Tensor
  readonly bias: tf.Tensor | null
  readonly padding: 'same' | 'valid'
  readonly strides: Pair
  readonly dilations: Pair
  readonly depthwise: boolean
}

/**
 * x [n, h, w, c] -> [n, oh, ow, o] without activation, with the gradients that TensorFlow.js refuses to take (dilations) or
 * that a backend has no kernels for (depthwise).
 */
export function convolveGenerally(x: tf.Tensor, convolution: GeneralConvolution): tf.Tensor {
  const { filter, bias, depthwise } = convolution
  const dense = depthwise && !hasKernel(tf.DepthwiseConv2dNativeBackpropFilter)
  const y = dense
    ? withoutBias(x, denseFilter(filter), { ...convolution, depthwise: false })
    : withoutBias(x, filter, convolution)
  return bias === null ? y : tf.add(y, bias)
}

function withoutBias(
  x: tf.Tensor,
  filter: tf.Tensor,
  { padding, strides, dilations, depthwise }: Omit<GeneralConvolution, 'filter' | 'bias'>,
): tf.Tensor {
  const common = { pad: padding, dataFormat: 'NHWC', dimRoundingMode: null }
  // Our kernels for `wasm` take dilations; elsewhere the filter is written out with its gaps.
  const gaps: Pair = tf.getBackend() === 'wasm' ? [1, 1] : dilations
  const kernels = depthwise
    ? ([
        tf.DepthwiseConv2dNative,
        tf.DepthwiseConv2dNativeBackpropInput,
        tf.DepthwiseConv2dNativeBackpropFilter,
      ] as const)
    : ([tf.Conv2D, tf.Conv2DBackpropInput, tf.Conv2DBackpropFilter] as const)
  const operation = tf.customGrad((...inputs) => {
    keepFor(inputs.at(-1), [x, filter])
    return {
      value: run(kernels[0], { x, filter }, { ...common, strides, dilations }),
      gradFunc: (dy, saved) => {
        const [image, weights] = saved
        if (image === undefined || weights === undefined) throw new Error('Nothing was saved.')
        const wide = spreadTaps(weights, gaps)
        const attrs = { ...common, strides, dilations: [dilations[0] / gaps[0], dilations[1] / gaps[1]] }
        const ofInput = { ...attrs, inputShape: image.shape }
        const ofFilter = { ...attrs, filterShape: wide.shape }
        return present([
          run(kernels[1], { dy: one(dy), filter: wide }, ofInput),
          gatherTaps(run(kernels[2], { x: image, dy: one(dy) }, ofFilter), gaps),
        ])
      },
    }
  })
  return operation(x, filter)
}

/** The filter with gaps[i] - 1 rows and columns of zeros between its taps. */
function spreadTaps(filter: tf.Tensor, [down, across]: Pair): tf.Tensor {
  const [rows = 1, columns = 1, c = 1, o = 1] = filter.shape
  if (down === 1 && across === 1) return filter
  const spread = (tensor: tf.Tensor, size: number, gap: number): tf.Tensor => {
    const lines = tf.reshape<tf.Rank.R3>(tensor, [size, 1, -1])
    return gap === 1 ? lines : tf.concat([lines, tf.zeros([size, gap - 1, lines.shape[2]])], 1)
  }
  const tall = spread(filter, rows, down)
  const all = tf.reshape(spread(tall, rows * down * columns, across), [rows * down, columns * across, c, o])
  return tf.slice(all, [0, 0, 0, 0], [(rows - 1) * down + 1, (columns - 1) * across + 1, c, o])
}

/** Of a filter with gaps the taps alone. */
function gatherTaps(filter: tf.Tensor, [down, across]: Pair): tf.Tensor {
  if (down === 1 && across === 1) return filter
  return tf.stridedSlice(filter, [0, 0, 0, 0], filter.shape, [down, across, 1, 1])
}

/** [rows, columns, c, m] as the filter [rows, columns, c, c * m] that does the same with zeros between the channels. */
function denseFilter(filter: tf.Tensor): tf.Tensor {
  const [rows = 1, columns = 1, c = 1, m = 1] = filter.shape
  const own = tf.reshape(tf.eye(c), [1, c, c, 1])
  const spread = tf.mul(tf.reshape(filter, [rows * columns, c, 1, m]), own)
  return tf.reshape(spread, [rows, columns, c, c * m])
}
