import * as tf from '@tensorflow/tfjs-core'
import { registerComparison } from './binary.ts'

export function registerGreaterEqual(): void {
  registerComparison(tf.GreaterEqual, 'GreaterOrEqual')
}
