import * as tf from '@tensorflow/tfjs-core'
import { registerUnary } from './unary.ts'

export function registerElu(): void {
  registerUnary(tf.Elu, 'Elu')
}
