import * as tf from '@tensorflow/tfjs-core'
import { registerUnary } from './unary.ts'

export function registerAtan(): void {
  registerUnary(tf.Atan, 'Atan')
}
