import * as tf from '@tensorflow/tfjs-core'
import { divide, isLess, multiply, subtract, unary, where } from '../math.ts'
import { registerUnary } from './unary.ts'

/** exp(x) - 1; near 0, where this would be lost in rounding, by the hyperbolic tangent t of x / 2: 2 t / (1 - t). */
export function registerExpm1(): void {
  registerUnary(tf.Expm1, (x) => {
    const t = unary('Tanh', multiply(x, 0.5))
    const near = divide(multiply(t, 2), subtract(1, t))
    return where(isLess(unary('Abs', x), 1), near, subtract(unary('Exp', x), 1))
  })
}
