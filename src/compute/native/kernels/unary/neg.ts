import * as tf from '@tensorflow/tfjs-core'
import { registerUnary } from './unary.ts'

export function registerNeg(): void {
  registerUnary(tf.Neg, 'Neg', { integers: true })
}
