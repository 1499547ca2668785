import * as tf from '@tensorflow/tfjs-core'
import { multiply } from '../math.ts'
import { registerUnary } from './unary.ts'

export function registerSquare(): void {
  registerUnary(tf.Square, (x) => multiply(x, x), { integers: true })
}
