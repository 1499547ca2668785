import * as tf from '@tensorflow/tfjs-core'
import { hasKernel } from '../kernels/available.ts'
import { BIAS_GRADIENT, JOIN_CHANNELS, RELU_BIAS_GRADIENT, RELU_GRADIENT, SPLIT_CHANNELS } from '../kernels/index.ts'
import { keepFor, one, run, runSeveral } from './kernelCalls.ts'

/**
 * The operations of our networks with gradients of their own: fewer passes over memory than what TensorFlow.js would
 * record for the same. Each works on every backend; where it has no kernel of ours, it is composed of operations.
 */
export interface Convolution {
  readonly filter: tf.Tensor
  readonly bias: tf.Tensor | null
  readonly padding: 'same' | 'valid'
  readonly relu: boolean
}

/** Stride 1. The gradient by the input is only computed where `inputMatters`: not for the image itself. */
export function convolve(x: tf.Tensor, { filter, bias, padding, relu }: Convolution, inputMatters: boolean): tf.Tensor {
  const operation = tf.customGrad((...inputs) => {
    const save = inputs.at(-1)
    const y = run(tf.FusedConv2D, bias === null ? { x, filter } : { x, filter, bias }, {
      strides: [1, 1],
      pad: padding,
      dataFormat: 'NHWC',
      dilations: [1, 1],
      dimRoundingMode: '',
      activation: relu ? 'relu' : 'linear',
      leakyreluAlpha: 0,
    })
    keepFor(save, [x, filter, y])
    return {
      value: y,
      gradFunc: (dy, saved) => {
        const [image, weights, output] = saved
        const outer = one(dy)
        if (image === undefined || weights === undefined || output === undefined) throw new Error('Nothing was saved.')
        const [inner, biasGradient] = gradientsBeforeConvolution(outer, relu ? output : null, bias !== null)
        const common = { strides: 1, pad: padding, dataFormat: 'NHWC', dimRoundingMode: null }
        const gradients = [
          run(tf.Conv2DBackpropFilter, { x: image, dy: inner }, { ...common, filterShape: weights.shape }),
        ]
        if (biasGradient !== null) gradients.push(biasGradient)
        if (inputMatters) {
          gradients.unshift(
            run(tf.Conv2DBackpropInput, { dy: inner, filter: weights }, { ...common, inputShape: image.shape }),
          )
        }
        return gradients
      },
    }
  })
  return operation(...(inputMatters ? [x] : []), filter, ...(bias === null ? [] : [bias]))
}

/** [n, h, w, a] and [n, h, w, b] to [n, h, w, a + b]. */
export function joinChannels(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  const first = a.shape[3] ?? 0
  const second = b.shape[3] ?? 0
  if (!hasKernel(SPLIT_CHANNELS) || first < 4 || second < 4) return tf.concat([a, b], 3)
  const operation = tf.customGrad((left, right) => ({
    value: run(JOIN_CHANNELS, { a: one(left), b: one(right) }, {}),
    gradFunc: (dy) => runSeveral(SPLIT_CHANNELS, { x: one(dy) }, { first }),
  }))
  return operation(a, b)
}

/** Of the gradient dy by an output, those by the sum before ReLU (y is its output, or null for none) and by the bias. */
function gradientsBeforeConvolution(
  dy: tf.Tensor,
  y: tf.Tensor | null,
  biased: boolean,
): [inner: tf.Tensor, bias: tf.Tensor | null] {
  if (y !== null && biased && hasKernel(RELU_BIAS_GRADIENT)) {
    const [inner, bias] = runSeveral(RELU_BIAS_GRADIENT, { y, dy }, {})
    if (inner === undefined || bias === undefined) throw new Error('The kernel has two outputs.')
    return [inner, bias]
  }
  const inner = y === null ? dy : reluGradient(y, dy)
  if (!biased) return [inner, null]
  return [inner, hasKernel(BIAS_GRADIENT) ? run(BIAS_GRADIENT, { dy: inner }, {}) : tf.sum(inner, [0, 1, 2])]
}

function reluGradient(y: tf.Tensor, dy: tf.Tensor): tf.Tensor {
  if (hasKernel(RELU_GRADIENT) && y.size % 4 === 0) return run(RELU_GRADIENT, { y, dy }, {})
  return tf.mul(dy, tf.step(y))
}
