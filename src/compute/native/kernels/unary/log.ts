import * as tf from '@tensorflow/tfjs-core'
import { registerUnary } from './unary.ts'

export function registerLog(): void {
  registerUnary(tf.Log, 'Log')
}
