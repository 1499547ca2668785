import * as tf from '@tensorflow/tfjs-core'
import { registerBinary } from './binary.ts'

export function registerLogicalOr(): void {
  registerBinary(tf.LogicalOr, 'Or', { as: 'bool', dtype: 'bool' })
}
