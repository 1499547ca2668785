import * as tf from '@tensorflow/tfjs-core'

/** `instanceof` alone would narrow to a tensor of `any` rank. */
export function isTensor(value: unknown): value is tf.Tensor {
  return value instanceof tf.Tensor
}

export function isVariable(value: unknown): value is tf.Variable {
  return value instanceof tf.Variable
}
