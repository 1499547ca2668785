import type * as tf from '@tensorflow/tfjs-core'

/** Reads the attributes that TensorFlow.js passes to kernels; what is not of the kind that is asked for throws. */

export function numberOf(attrs: tf.NamedAttrMap, name: string): number {
  const value: unknown = attrs[name]
  if (typeof value === 'number') return value
  throw new Error(`The attribute "${name}" must be a number.`)
}

/** A number stands for a list of one. */
export function numbersOf(attrs: tf.NamedAttrMap, name: string): number[] {
  const value: unknown = attrs[name]
  if (typeof value === 'number') return [value]
  if (isNumbers(value)) return value
  throw new Error(`The attribute "${name}" must be numbers.`)
}

/** One pair an axis, as of paddings. */
export function pairsOf(attrs: tf.NamedAttrMap, name: string): [before: number, after: number][] {
  const value: unknown = attrs[name]
  if (!Array.isArray(value) || !value.every(isNumbers)) throw new Error(`The attribute "${name}" must be pairs.`)
  return value.map(([before = 0, after = 0]) => [before, after])
}

export function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'number')
}

/** null where nothing is given. */
export function dtypeOf(attrs: tf.NamedAttrMap): 'float32' | 'int32' | 'bool' | null {
  const value: unknown = attrs.dtype
  if (value === undefined || value === null || value === '') return null
  if (value === 'float32' || value === 'int32' || value === 'bool') return value
  throw new Error('Tensors of this type cannot be recorded.')
}
