import * as tf from '@tensorflow/tfjs-core'
import { registerUnary } from './unary.ts'

export function registerErf(): void {
  registerUnary(tf.Erf, 'Erf')
}
