import * as tf from '@tensorflow/tfjs-core'
import { registerUnary } from './unary.ts'

export function registerTan(): void {
  registerUnary(tf.Tan, 'Tan')
}
