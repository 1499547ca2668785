import * as tf from '@tensorflow/tfjs-core'
import { registerUnary } from './unary.ts'

export function registerAsinh(): void {
  registerUnary(tf.Asinh, 'Asinh')
}
