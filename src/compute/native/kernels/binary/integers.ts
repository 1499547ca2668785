import { convert } from '../conversion.ts'
import { divide, isEqual, isLess, multiply, subtract, where } from '../math.ts'
import type { Value } from '../../graph/types.ts'

/**
 * Integer division rounded down, and its rest, which has the sign of b. Dividing by 0 gives 0 and the rest 0, as in
 * TensorFlow.js: the processor's own division would end the process.
 */
export function quotientAndRest(a: Value, b: Value): { quotient: Value; rest: Value } {
  const isZero = isEqual(b, 0)
  const divisor = where(isZero, 1, b)
  // Rounded towards 0.
  const cut = divide(a, divisor)
  const rest = subtract(a, multiply(cut, divisor))
  const below = isLess(multiply(rest, divisor), 0)
  const quotient = subtract(cut, convert(below, 'int32'))
  return { quotient: where(isZero, 0, quotient), rest: where(isZero, 0, subtract(a, multiply(quotient, divisor))) }
}
