import * as tf from '@tensorflow/tfjs-core'
import { add, divide, isEqual, isLess, unary, where } from '../math.ts'
import { registerBinary } from './binary.ts'

/** The angle of the point (b, a) with the first axis, from -pi to pi; 0 for the origin. Zeros have no sign. */
export function registerAtan2(): void {
  registerBinary(
    tf.Atan2,
    (a, b) => {
      // By the tangent it is the angle or the opposite one; a / 0 is infinite, whose angle is right unless it is a / -0.
      const angle = unary('Atan', divide(a, where(isEqual(b, 0), 0, b)))
      const opposite = add(angle, where(isLess(a, 0), -Math.PI, Math.PI))
      const isOrigin = isEqual(add(unary('Abs', a), unary('Abs', b)), 0)
      return where(isOrigin, 0, where(isLess(b, 0), opposite, angle))
    },
    { as: 'float32' },
  )
}
