import * as tf from '@tensorflow/tfjs-core'
import { convert } from '../conversion.ts'
import { isGreater, where } from '../math.ts'
import { numberIn, registerUnary } from './unary.ts'

/** 1 above 0, else `alpha`; what is not a number counts as below. */
export function registerStep(): void {
  registerUnary(tf.Step, (x, attrs) => {
    const alpha = numberIn(attrs, 'alpha', 0)
    const above = isGreater(x, 0)
    return alpha === 0 ? convert(above, x.type) : where(above, 1, alpha)
  })
}
