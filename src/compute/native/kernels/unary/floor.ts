import * as tf from '@tensorflow/tfjs-core'
import { registerUnary } from './unary.ts'

export function registerFloor(): void {
  registerUnary(tf.Floor, 'Floor')
}
