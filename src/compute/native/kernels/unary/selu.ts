import * as tf from '@tensorflow/tfjs-core'
import { float } from '../../graph/build.ts'
import { unary } from '../math.ts'
import { registerUnary } from './unary.ts'

export function registerSelu(): void {
  const { SELU_SCALE, SELU_SCALEALPHA } = tf.backend_util
  const attributes = { alpha: float(SELU_SCALEALPHA / SELU_SCALE), gamma: float(SELU_SCALE) }
  registerUnary(tf.Selu, (x) => unary('Selu', x, attributes))
}
