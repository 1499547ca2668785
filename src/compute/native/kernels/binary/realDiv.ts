import * as tf from '@tensorflow/tfjs-core'
import { registerBinary } from './binary.ts'

export function registerRealDiv(): void {
  registerBinary(tf.RealDiv, 'Div', { as: 'float32' })
}
