import * as tf from '@tensorflow/tfjs-core'
import { registerBinary } from './binary.ts'

export function registerMinimum(): void {
  registerBinary(tf.Minimum, 'Min')
}
