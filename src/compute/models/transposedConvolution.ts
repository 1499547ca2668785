import * as tf from '@tensorflow/tfjs-core'
import { hasKernel } from '../kernels/available.ts'
import { BIAS_GRADIENT, JOIN_PIXELS, SPREAD_PIXELS } from '../kernels/index.ts'
import { keepFor, one, present, run } from './kernelCalls.ts'

/** A transposed convolution whose windows lie side by side: its stride is the size of its filter. */
export interface TransposedConvolution {
  /** [rows, columns, channels out, channels in] */
  readonly filter: tf.Tensor
  readonly bias: tf.Tensor | null
}

/**
 * x [n, h, w, c] -> [n, rows * h, columns * w, o]: each pixel becomes a block of rows x columns pixels, each channel of which
 * is a sum over the pixel's channels. So it is a 1x1 convolution to rows * columns * o channels, which are then spread over the
 * block; the gradients are those of the 1x1 convolution, by the gradient brought together in the same way. null where the
 * backend lacks the kernels for this, for the layer itself to be used.
 */
export function convolveTransposed(x: tf.Tensor, { filter, bias }: TransposedConvolution): tf.Tensor | null {
  if (!hasKernel(SPREAD_PIXELS)) return null
  const [rows = 1, columns = 1, outChannels = 1, channels = 1] = filter.shape
  const wide = rows * columns * outChannels
  const convolution = { strides: 1, pad: 'valid', dataFormat: 'NHWC', dimRoundingMode: null }
  const operation = tf.customGrad((...inputs) => {
    const [y, weights] = tf.tidy(() => {
      const pointwise = tf.reshape(tf.transpose(tf.reshape(filter, [wide, channels])), [1, 1, channels, wide])
      const spread = bias === null ? {} : { bias: tf.tile(bias, [rows * columns]) }
      const values = run(
        tf.FusedConv2D,
        { x, filter: pointwise, ...spread },
        {
          ...convolution,
          strides: [1, 1],
          dilations: [1, 1],
          dimRoundingMode: '',
          activation: 'linear',
          leakyreluAlpha: 0,
        },
      )
      return [run(SPREAD_PIXELS, { x: values }, { rows, columns }), pointwise]
    })
    keepFor(inputs.at(-1), [x, weights])
    return {
      value: y,
      gradFunc: (dy, saved) => {
        const [image, pointwise] = saved
        if (image === undefined || pointwise === undefined) throw new Error('Nothing was saved.')
        const joined = run(JOIN_PIXELS, { x: one(dy) }, { rows, columns })
        const ofInput = { ...convolution, inputShape: image.shape }
        const ofFilter = { ...convolution, filterShape: pointwise.shape }
        const dw = run(tf.Conv2DBackpropFilter, { x: image, dy: joined }, ofFilter)
        return present([
          run(tf.Conv2DBackpropInput, { dy: joined, filter: pointwise }, ofInput),
          tf.reshape(tf.transpose(tf.reshape(dw, [channels, wide])), filter.shape),
          bias === null ? null : run(BIAS_GRADIENT, { dy: one(dy) }, {}),
        ])
      },
    }
  })
  return operation(...present([x, filter, bias]))
}
