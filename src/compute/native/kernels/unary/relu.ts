import * as tf from '@tensorflow/tfjs-core'
import { binary, unary } from '../math.ts'
import { registerUnary } from './unary.ts'

export function registerRelu(): void {
  registerUnary(tf.Relu, (x) => (x.type === 'float32' ? unary('Relu', x) : binary('Max', x, 0)), { integers: true })
}
