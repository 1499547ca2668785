import * as tf from '@tensorflow/tfjs-core'
import { registerUnary } from './unary.ts'

export function registerTanh(): void {
  registerUnary(tf.Tanh, 'Tanh')
}
