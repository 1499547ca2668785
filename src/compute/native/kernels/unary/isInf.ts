import * as tf from '@tensorflow/tfjs-core'
import { emit } from '../../graph/build.ts'
import { registerUnary } from './unary.ts'

export function registerIsInf(): void {
  registerUnary(tf.IsInf, (x) => emit('IsInf', [x], x.shape, { type: 'bool' }), { dtype: 'bool' })
}
