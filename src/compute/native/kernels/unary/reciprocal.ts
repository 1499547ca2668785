import * as tf from '@tensorflow/tfjs-core'
import { registerUnary } from './unary.ts'

export function registerReciprocal(): void {
  registerUnary(tf.Reciprocal, 'Reciprocal')
}
