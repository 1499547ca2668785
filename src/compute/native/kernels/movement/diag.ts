import * as tf from '@tensorflow/tfjs-core'
import { constant } from '../../graph/build.ts'
import { sizeOf } from '../../graph/types.ts'
import { asNumbers, convert } from '../conversion.ts'
import { counting, filled } from '../filling.ts'
import { isEqual, where } from '../math.ts'
import { registerNativeKernel } from '../recorder.ts'
import { regrouped } from '../reshaping.ts'

/** x [...s] -> [...s, ...s] with x on the diagonal. */
export function registerDiag(): void {
  registerNativeKernel(tf.Diag, ({ input, value, backend }) => {
    const x = input('x')
    const size = sizeOf(x.shape)
    const from = asNumbers(value('x'))
    const diagonal = isEqual(counting(size, [size, 1]), counting(size))
    const spread = where(diagonal, regrouped(from, [size]), constant(filled(1, 0, from.type), [], from.type))
    const shape = [...x.shape, ...x.shape]
    return backend.make(convert(regrouped(spread, shape), value('x').type), shape, x.dtype)
  })
}
