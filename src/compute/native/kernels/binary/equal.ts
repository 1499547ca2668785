import * as tf from '@tensorflow/tfjs-core'
import { registerComparison } from './binary.ts'

export function registerEqual(): void {
  registerComparison(tf.Equal, 'Equal')
}
