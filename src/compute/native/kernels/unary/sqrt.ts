import * as tf from '@tensorflow/tfjs-core'
import { registerUnary } from './unary.ts'

export function registerSqrt(): void {
  registerUnary(tf.Sqrt, 'Sqrt')
}
