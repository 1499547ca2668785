import * as tf from '@tensorflow/tfjs-core'
import { registerUnary } from './unary.ts'

export function registerAcosh(): void {
  registerUnary(tf.Acosh, 'Acosh')
}
