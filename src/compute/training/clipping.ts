import * as tf from '@tensorflow/tfjs-core'
import { hasKernel } from '../kernels/available.ts'
import { SQUARE_SUM } from '../kernels/index.ts'

/** Gradients longer than this (all variables together) are shortened to it: one odd patch must not undo the rest. */
export const MAX_NORM = 5

/** The factor that shortens the gradients to a norm of `most` where they are longer together: a scalar; 1 for a `most` of 0. */
export function clippingScale(gradients: readonly tf.Tensor[], most: number): tf.Tensor {
  if (most === 0) return tf.scalar(1)
  const squares = gradients.map((gradient) =>
    hasKernel(SQUARE_SUM) ? tf.engine().runKernel<tf.Tensor>(SQUARE_SUM, { x: gradient }) : tf.sum(tf.square(gradient)),
  )
  const norm = tf.sqrt(tf.addN(squares))
  return tf.minimum(tf.div(most, tf.maximum(norm, most)), 1)
}
