import { convert } from '../conversion.ts'
import { add, binary, divide, isEqual, isLess, multiply, subtract, unary, where } from '../math.ts'
import type { Value } from '../../graph/types.ts'

/**
 * Integer division rounded down, and its rest, which has the sign of b. Dividing by 0 gives 0 and the rest 0, as in
 * TensorFlow.js. The processor's own division would end the process there, and where the least integer is divided by -1.
 */
export function quotientAndRest(a: Value, b: Value): { quotient: Value; rest: Value } {
  const isZero = isEqual(b, 0)
  const isMinusOne = isEqual(b, -1)
  const divisor = where(binary('Or', isZero, isMinusOne), 1, b)
  // Rounded towards 0.
  const cut = divide(a, divisor)
  const left = subtract(a, multiply(cut, divisor))
  // Not by the sign of their product, which may be too large.
  const opposite = binary('Xor', isLess(left, 0), isLess(divisor, 0))
  const below = binary('And', opposite, unary('Not', isEqual(left, 0)))
  const quotient = where(isMinusOne, unary('Neg', a), subtract(cut, convert(below, 'int32')))
  const rest = add(left, where(below, divisor, 0))
  return { quotient: where(isZero, 0, quotient), rest: where(isZero, 0, rest) }
}
