import * as tf from '@tensorflow/tfjs-core'
import { registerBinary } from './binary.ts'

export function registerMaximum(): void {
  registerBinary(tf.Maximum, 'Max')
}
