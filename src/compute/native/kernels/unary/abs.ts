import * as tf from '@tensorflow/tfjs-core'
import { registerUnary } from './unary.ts'

export function registerAbs(): void {
  registerUnary(tf.Abs, 'Abs', { integers: true })
}
