import * as tf from '@tensorflow/tfjs-core'
import { isLess, unary } from '../math.ts'
import { registerUnary } from './unary.ts'

export function registerIsFinite(): void {
  registerUnary(tf.IsFinite, (x) => isLess(unary('Abs', x), Infinity), { dtype: 'bool' })
}
