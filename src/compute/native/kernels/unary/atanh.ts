import * as tf from '@tensorflow/tfjs-core'
import { registerUnary } from './unary.ts'

export function registerAtanh(): void {
  registerUnary(tf.Atanh, 'Atanh')
}
