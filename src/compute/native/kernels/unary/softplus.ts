import * as tf from '@tensorflow/tfjs-core'
import { registerUnary } from './unary.ts'

export function registerSoftplus(): void {
  registerUnary(tf.Softplus, 'Softplus')
}
