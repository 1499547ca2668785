import * as tf from '@tensorflow/tfjs-core'
import { registerBinary } from './binary.ts'

export function registerSub(): void {
  registerBinary(tf.Sub, 'Sub')
}
