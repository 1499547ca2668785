import * as tf from '@tensorflow/tfjs-core'
import { isEqual, unary } from '../math.ts'
import { registerComparison } from './binary.ts'

export function registerNotEqual(): void {
  registerComparison(tf.NotEqual, (a, b) => unary('Not', isEqual(a, b)))
}
