import * as tf from '@tensorflow/tfjs-core'
import { registerBinary } from './binary.ts'

export function registerPow(): void {
  registerBinary(tf.Pow, 'Pow')
}
