import * as tf from '@tensorflow/tfjs-core'
import { registerUnary } from './unary.ts'

export function registerExp(): void {
  registerUnary(tf.Exp, 'Exp', { dtype: 'float32' })
}
