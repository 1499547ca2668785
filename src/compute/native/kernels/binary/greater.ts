import * as tf from '@tensorflow/tfjs-core'
import { registerComparison } from './binary.ts'

export function registerGreater(): void {
  registerComparison(tf.Greater, 'Greater')
}
