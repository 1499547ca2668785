import * as tf from '@tensorflow/tfjs-core'
import { registerBinary } from './binary.ts'

export function registerMultiply(): void {
  registerBinary(tf.Multiply, 'Mul')
}
