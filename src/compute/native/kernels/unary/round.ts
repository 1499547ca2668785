import * as tf from '@tensorflow/tfjs-core'
import { registerUnary } from './unary.ts'

export function registerRound(): void {
  registerUnary(tf.Round, 'Round')
}
