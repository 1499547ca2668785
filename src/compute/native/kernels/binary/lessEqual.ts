import * as tf from '@tensorflow/tfjs-core'
import { registerComparison } from './binary.ts'

export function registerLessEqual(): void {
  registerComparison(tf.LessEqual, 'LessOrEqual')
}
