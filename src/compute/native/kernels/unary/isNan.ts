import * as tf from '@tensorflow/tfjs-core'
import { emit } from '../../graph/build.ts'
import { registerUnary } from './unary.ts'

export function registerIsNan(): void {
  registerUnary(tf.IsNan, (x) => emit('IsNaN', [x], x.shape, { type: 'bool' }), { dtype: 'bool' })
}
