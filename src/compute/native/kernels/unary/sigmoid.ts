import * as tf from '@tensorflow/tfjs-core'
import { registerUnary } from './unary.ts'

export function registerSigmoid(): void {
  registerUnary(tf.Sigmoid, 'Sigmoid')
}
