import * as tf from '@tensorflow/tfjs-core'
import { registerUnary } from './unary.ts'

export function registerAcos(): void {
  registerUnary(tf.Acos, 'Acos')
}
