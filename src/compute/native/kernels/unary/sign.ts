import * as tf from '@tensorflow/tfjs-core'
import { registerUnary } from './unary.ts'

export function registerSign(): void {
  registerUnary(tf.Sign, 'Sign')
}
