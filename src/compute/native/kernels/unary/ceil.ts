import * as tf from '@tensorflow/tfjs-core'
import { registerUnary } from './unary.ts'

export function registerCeil(): void {
  registerUnary(tf.Ceil, 'Ceil')
}
