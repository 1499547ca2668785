import * as tf from '@tensorflow/tfjs-core'
import { registerUnary } from './unary.ts'

export function registerSinh(): void {
  registerUnary(tf.Sinh, 'Sinh')
}
