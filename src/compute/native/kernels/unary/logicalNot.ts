import * as tf from '@tensorflow/tfjs-core'
import { convert } from '../conversion.ts'
import { unary } from '../math.ts'
import { registerUnary } from './unary.ts'

export function registerLogicalNot(): void {
  registerUnary(tf.LogicalNot, (x) => unary('Not', convert(x, 'bool')), { integers: true, dtype: 'bool' })
}
