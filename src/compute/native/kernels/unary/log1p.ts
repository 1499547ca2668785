import * as tf from '@tensorflow/tfjs-core'
import { add, divide, isEqual, multiply, subtract, unary, where } from '../math.ts'
import { registerUnary } from './unary.ts'

/** log(1 + x), as exact for a small x as for a large one: what rounding takes from 1 + x is given back (W. Kahan). */
export function registerLog1p(): void {
  registerUnary(tf.Log1p, (x) => {
    const sum = add(x, 1)
    const exact = divide(multiply(unary('Log', sum), x), subtract(sum, 1))
    const large = isEqual(sum, Infinity)
    return where(isEqual(sum, 1), x, where(large, sum, exact))
  })
}
