import * as tf from '@tensorflow/tfjs-core'
import { registerBinary } from './binary.ts'

export function registerLogicalAnd(): void {
  registerBinary(tf.LogicalAnd, 'And', { as: 'bool', dtype: 'bool' })
}
