import * as tf from '@tensorflow/tfjs-core'
import { clip } from '../math.ts'
import { registerUnary } from './unary.ts'

export function registerRelu6(): void {
  registerUnary(tf.Relu6, (x) => clip(x, 0, 6), { integers: true })
}
