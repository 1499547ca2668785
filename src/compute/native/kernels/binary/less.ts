import * as tf from '@tensorflow/tfjs-core'
import { registerComparison } from './binary.ts'

export function registerLess(): void {
  registerComparison(tf.Less, 'Less')
}
