import * as tf from '@tensorflow/tfjs-core'
import { float } from '../../graph/build.ts'
import { unary } from '../math.ts'
import { numberIn, registerUnary } from './unary.ts'

export function registerLeakyRelu(): void {
  registerUnary(tf.LeakyRelu, (x, attrs) => unary('LeakyRelu', x, { alpha: float(numberIn(attrs, 'alpha', 0.2)) }), {
    dtype: 'float32',
  })
}
