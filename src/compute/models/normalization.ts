import * as tf from '@tensorflow/tfjs-core'
import { hasKernel } from '../kernels/available.ts'
import { NORMALIZATION, NORMALIZATION_GRADIENT } from '../kernels/index.ts'
import { isRecording } from '../runtime/program.ts'
import { keepFor, one, present, runSeveral } from './kernelCalls.ts'

/** What is common to all normalizations of [n, h, w, c]; formulas and sources are in kernels/normalization.ts. */
interface Common {
  readonly epsilon: number
  /** With ReLU behind. */
  readonly relu: boolean
  /** Scale and shift, [c]. */
  readonly gamma: tf.Tensor | null
  readonly beta: tf.Tensor | null
}

interface GroupOptions extends Common {
  readonly over: 'image'
  /** Divides the channels; as many as channels is instance normalization. */
  readonly groups: number
}

interface BatchOptions extends Common {
  readonly over: 'batch'
}

type Options = GroupOptions | BatchOptions

interface Moments {
  /** [c] each; the caller's to dispose. The variance is that of the values, not an estimate for more. */
  readonly mean: tf.Tensor
  readonly variance: tf.Tensor
}

/** Instance, group or layer normalization: of each image alone, so that training and prediction do the same. */
export function normalize(x: tf.Tensor, options: GroupOptions): tf.Tensor {
  return byStatistics(x, options, () => undefined)
}

/** Batch normalization by the statistics of this batch, which are handed to `learn`: for training. */
export function normalizeBatch(x: tf.Tensor, options: Common, learn: (moments: Moments) => void): tf.Tensor {
  return byStatistics(x, { ...options, over: 'batch' }, learn)
}

/** Batch normalization by statistics [c] that are given: for prediction. They get no gradient. */
export function normalizeBy(
  x: tf.Tensor,
  { mean, variance, ...options }: Common & { readonly mean: tf.Tensor; readonly variance: tf.Tensor },
): tf.Tensor {
  const { epsilon, relu, gamma, beta } = options
  if (hasKernel(NORMALIZATION)) {
    return withKernel(x, { ...options, over: 'given' }, { mean, variance }, () => undefined)
  }
  const root = tf.rsqrt(tf.add(variance, epsilon))
  const scaled = tf.mul(tf.sub(x, mean), gamma === null ? root : tf.mul(root, gamma))
  const y = beta === null ? scaled : tf.add(scaled, beta)
  return relu ? tf.relu(y) : y
}

function byStatistics(x: tf.Tensor, options: Options, learn: (moments: Moments) => void): tf.Tensor {
  return hasKernel(NORMALIZATION) ? withKernel(x, options, {}, learn) : composed(x, options, learn)
}

function withKernel(
  x: tf.Tensor,
  options: Options | (Common & { readonly over: 'given' }),
  given: tf.NamedTensorMap,
  learn: (moments: Moments) => void,
): tf.Tensor {
  const { over, epsilon, relu, gamma, beta } = options
  const attrs = { over, groups: over === 'image' ? options.groups : 1, epsilon, relu }
  const affine = { ...(gamma === null ? {} : { gamma }), ...(beta === null ? {} : { beta }) }
  const operation = tf.customGrad((...inputs) => {
    const [y, statistics] = runSeveral(NORMALIZATION, { x, ...affine, ...given }, attrs)
    if (y === undefined || statistics === undefined) throw new Error('The kernel has two outputs.')
    keepFor(inputs.at(-1), [x, statistics])
    // What applied to the first image applied to all.
    if (over === 'batch') learn(momentsIn(statistics))
    return {
      value: y,
      gradFunc: (dy, saved) => {
        const [image, moments] = saved
        if (image === undefined || moments === undefined) throw new Error('Nothing was saved.')
        const [dx, ofGamma, ofBeta] = runSeveral(
          NORMALIZATION_GRADIENT,
          { x: image, dy: one(dy), statistics: moments, ...affine },
          attrs,
        )
        return present([dx, gamma === null ? undefined : ofGamma, beta === null ? undefined : ofBeta])
      },
    }
  })
  return operation(...present([x, gamma, beta]))
}

function momentsIn(statistics: tf.Tensor): Moments {
  return tf.tidy(() => {
    const channels = statistics.shape[2] ?? 0
    const [mean, variance] = [0, 1].map((which) =>
      tf.keep(tf.reshape(tf.slice(statistics, [which, 0, 0], [1, 1, channels]), [channels])),
    )
    if (mean === undefined || variance === undefined) throw new Error('There are two statistics.')
    return { mean, variance }
  })
}

/** The same by operations of TensorFlow.js. */
function composed(x: tf.Tensor, options: Options, learn: (moments: Moments) => void): tf.Tensor {
  const { epsilon, relu, gamma, beta } = options
  const { shape, mean: meanOf, moments: momentsOf } = layoutOf(x, options)
  const operation = tf.customGrad((...inputs) => {
    const [y, normal, root, moments] = tf.tidy(() => {
      const grouped = tf.reshape(x, shape)
      const { mean, variance } = momentsOf(grouped)
      const inverse = tf.rsqrt(tf.add(variance, epsilon))
      const standard = tf.reshape(tf.mul(tf.sub(grouped, mean), inverse), x.shape)
      const scaled = gamma === null ? standard : tf.mul(standard, gamma)
      const shifted = beta === null ? scaled : tf.add(scaled, beta)
      const both =
        options.over === 'batch' ? tf.concat([tf.reshape(mean, [1, 1, -1]), tf.reshape(variance, [1, 1, -1])]) : mean
      return [relu ? tf.relu(shifted) : shifted, standard, inverse, both]
    })
    keepFor(inputs.at(-1), [normal, root, ...(relu ? [y] : [])])
    if (options.over === 'batch') learn(momentsIn(moments))
    return {
      value: y,
      gradFunc: (dy, saved) => {
        const [v, r, output] = saved
        if (v === undefined || r === undefined) throw new Error('Nothing was saved.')
        const g = output === undefined ? one(dy) : tf.mul(one(dy), tf.step(output))
        const h = tf.reshape(gamma === null ? g : tf.mul(g, gamma), shape)
        const standard = tf.reshape(v, shape)
        const product = tf.mul(standard, meanOf(tf.mul(h, standard)))
        const dx = tf.mul(r, tf.sub(tf.sub(h, meanOf(h)), product))
        return present([
          tf.reshape(dx, x.shape),
          gamma === null ? undefined : tf.sum(tf.mul(g, v), [0, 1, 2]),
          beta === null ? undefined : tf.sum(g, [0, 1, 2]),
        ])
      },
    }
  })
  return operation(...present([x, gamma, beta]))
}

/** A shape of x, and mean and variance of a tensor of that shape as they broadcast against it. */
interface Statistics {
  readonly shape: number[]
  readonly mean: (x: tf.Tensor) => tf.Tensor
  readonly moments: (x: tf.Tensor) => { mean: tf.Tensor; variance: tf.Tensor }
}

function layoutOf(x: tf.Tensor, options: Options): Statistics {
  if (options.over === 'batch') return overAxes(x.shape, [0, 1, 2])
  const [count = 0, height = 0, width = 0, channels = 0] = x.shape
  const { groups } = options
  if (groups === channels) return overAxes(x.shape, [1, 2])
  if (!isRecording()) return overAxes([count, height * width, groups, channels / groups], [1, 3])
  // Images in a shape of their own would have to be turned around in memory; their means are small.
  const mean = (images: tf.Tensor): tf.Tensor => {
    const byGroup = tf.mean(tf.reshape(tf.mean(images, [1, 2]), [-1, groups, channels / groups]), 2, true)
    return tf.reshape(tf.tile(byGroup, [1, 1, channels / groups]), [-1, 1, 1, channels])
  }
  const moments = (images: tf.Tensor) => {
    const middle = mean(images)
    return { mean: middle, variance: mean(tf.square(tf.sub(images, middle))) }
  }
  return { shape: x.shape, mean, moments }
}

function overAxes(shape: number[], axes: number[]): Statistics {
  return { shape, mean: (x) => tf.mean(x, axes, true), moments: (x) => tf.moments(x, axes, true) }
}
