import * as tf from '@tensorflow/tfjs-core'
import { registerBinary } from './binary.ts'

export function registerAdd(): void {
  registerBinary(tf.Add, 'Add')
}
