import * as tf from '@tensorflow/tfjs-core'
import { registerUnary } from './unary.ts'

export function registerSin(): void {
  registerUnary(tf.Sin, 'Sin')
}
