import * as tf from '@tensorflow/tfjs-core'
import { hasKernel } from '../kernels/available.ts'
import { SQUARE_SUM } from '../kernels/index.ts'

/** Gradients longer than this (all variables together) are shortened to it: one odd patch must not undo the rest. */
const MAX_NORM = 5

/** The factor that shortens the gradients to MAX_NORM where they are longer together; a scalar. */
export function clippingScale(gradients: readonly tf.Tensor[]): tf.Tensor {
  const squares = gradients.map((gradient) =>
    hasKernel(SQUARE_SUM) ? tf.engine().runKernel<tf.Tensor>(SQUARE_SUM, { x: gradient }) : tf.sum(tf.square(gradient)),
  )
  const norm = tf.sqrt(tf.addN(squares))
  return tf.minimum(tf.div(MAX_NORM, tf.maximum(norm, MAX_NORM)), 1)
}
