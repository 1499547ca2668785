import * as tf from '@tensorflow/tfjs-core'
import { divide, unary } from '../math.ts'
import { quotientAndRest } from './integers.ts'
import { registerBinary } from './binary.ts'

/** a / b rounded down, as integers. */
export function registerFloorDiv(): void {
  registerBinary(
    tf.FloorDiv,
    (a, b) => (a.type === 'int32' ? quotientAndRest(a, b).quotient : unary('Floor', divide(a, b))),
    { dtype: 'int32' },
  )
}
