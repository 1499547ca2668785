import * as tf from '@tensorflow/tfjs-core'

/** `instanceof` alone would narrow to a tensor of `any` rank. */
export function isTensor(value: unknown): value is tf.Tensor {
  return value instanceof tf.Tensor
}

export function isVariable(value: unknown): value is tf.Variable {
  return value instanceof tf.Variable
}

/** The values of a float32 tensor. Throws when the backend gives fewer or others than it has. */
export async function readFloats(tensor: tf.Tensor): Promise<Float32Array> {
  const values = await tensor.data()
  if (!(values instanceof Float32Array)) throw new Error(`A float32 tensor was expected, not ${tensor.dtype}.`)
  if (values.length !== tensor.size) throw new Error(`${values.length} values were read of a tensor of ${tensor.size}.`)
  return values
}
