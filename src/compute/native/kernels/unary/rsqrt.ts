import * as tf from '@tensorflow/tfjs-core'
import { reciprocalRoot } from '../math.ts'
import { registerUnary } from './unary.ts'

export function registerRsqrt(): void {
  registerUnary(tf.Rsqrt, (x) => reciprocalRoot(x))
}
