import * as tf from '@tensorflow/tfjs-core'
import { registerUnary } from './unary.ts'

export function registerCosh(): void {
  registerUnary(tf.Cosh, 'Cosh')
}
