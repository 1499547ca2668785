import * as tf from '@tensorflow/tfjs-core'
import { isTensor } from '../runtime/tensors.ts'

/** Small parts that the operations with gradients of their own have in common. */

/** Runs a kernel that has one output. */
export function run(kernel: string, inputs: tf.NamedTensorMap, attrs: object): tf.Tensor {
  return tf.engine().runKernel<tf.Tensor>(kernel, inputs, { ...attrs })
}

/** Runs a kernel that has several. */
export function runSeveral(kernel: string, inputs: tf.NamedTensorMap, attrs: object): tf.Tensor[] {
  return tf.engine().runKernel<tf.Tensor[]>(kernel, inputs, { ...attrs })
}

type GradientArgument = Parameters<Parameters<typeof tf.customGrad>[0]>[number]

/** Custom gradients get the function that saves tensors as their last argument. */
export function keepFor(save: GradientArgument | undefined, tensors: tf.Tensor[]): void {
  if (typeof save === 'function') save(tensors)
}

/** The gradient by the only output. */
export function one(value: unknown): tf.Tensor {
  const single: unknown = Array.isArray(value) ? value[0] : value
  if (isTensor(single)) return single
  throw new Error('One tensor was expected.')
}

/** Those that are there, in their order. */
export function present(tensors: readonly (tf.Tensor | null | undefined)[]): tf.Tensor[] {
  return tensors.filter((tensor) => tensor !== null && tensor !== undefined)
}
