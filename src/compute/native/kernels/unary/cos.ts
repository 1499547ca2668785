import * as tf from '@tensorflow/tfjs-core'
import { registerUnary } from './unary.ts'

export function registerCos(): void {
  registerUnary(tf.Cos, 'Cos')
}
