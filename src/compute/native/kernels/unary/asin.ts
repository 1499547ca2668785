import * as tf from '@tensorflow/tfjs-core'
import { registerUnary } from './unary.ts'

export function registerAsin(): void {
  registerUnary(tf.Asin, 'Asin')
}
