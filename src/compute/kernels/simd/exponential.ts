import {
  splatInteger,
  i32,
  vAdd,
  vAddIntegers,
  vConstant,
  vDivide,
  vFromIntegers,
  vMax,
  vMultiply,
  vNearest,
  vShiftLeft,
  vSubtract,
  vToIntegers,
} from './assembler.ts'
import type { FunctionBuilder, Local, V128 } from './assembler.ts'

const LN2 = Math.LN2
/** ln 2 as a float of few digits, so that a small multiple of it is exact, and what is left of it. */
const LN2_HIGH = 0.693359375
const LN2_LOW = -2.1219444e-4
/** From here on, what e^x is below the smallest normal float counts as that. */
const LOWEST = -87.3

/** Of (e^r - 1 - r) / r^2 for |r| <= ln 2 / 2; S. Moshier, Cephes Math Library, expf. */
const COEFFICIENTS = [1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 0.50000001201]

/** Locals that the functions here work in; one set serves any number of calls. */
export interface Scratch {
  readonly x: Local<'v128'>
  readonly r: Local<'v128'>
  readonly n: Local<'v128'>
  readonly y: Local<'v128'>
  readonly e: Local<'v128'>
}

export function scratchFor(f: FunctionBuilder): Scratch {
  const local = () => f.local('v128')
  return { x: local(), r: local(), n: local(), y: local(), e: local() }
}

/**
 * Sets `out` to e^value by lanes, within 2e-7 of it relatively, for values up to 88; no number stays no number.
 * e^x = 2^n e^r with n = round(x / ln 2), e^r by a polynomial and 2^n by its exponent bits.
 */
export function exponential(f: FunctionBuilder, out: Local<'v128'>, value: V128, { x, r, n }: Scratch): void {
  f.set(x, vMax(value, vConstant(LOWEST)))
  f.set(n, vNearest(vMultiply(x, vConstant(1 / LN2))))
  f.set(r, vSubtract(x, vMultiply(n, vConstant(LN2_HIGH))))
  f.set(r, vSubtract(r, vMultiply(n, vConstant(LN2_LOW))))
  const [first = 0, ...others] = COEFFICIENTS
  let polynomial = vConstant(first)
  for (const coefficient of others) polynomial = vAdd(vMultiply(polynomial, r), vConstant(coefficient))
  const power = vAdd(vAdd(vMultiply(vMultiply(polynomial, r), r), r), vConstant(1))
  const two = vShiftLeft(vAddIntegers(vToIntegers(n), splatInteger(i32(127))), 23)
  f.set(out, vMultiply(power, two))
}

/**
 * Sets `out` to the natural logarithm of `value` by lanes, for normal numbers above zero, within some 2e-7: a first guess
 * by the exponent bits, twice improved by Halley's method, y + 2 (value - e^y) / (value + e^y).
 */
export function logarithm(f: FunctionBuilder, out: Local<'v128'>, value: Local<'v128'>, scratch: Scratch): void {
  const { y, e } = scratch
  const bits = vMultiply(vFromIntegers(value), vConstant(LN2 * 2 ** -23))
  f.set(y, vSubtract(bits, vConstant(LN2 * (127 - 0.043))))
  for (let round = 0; round < 2; round++) {
    exponential(f, e, y, scratch)
    const correction = vDivide(vSubtract(value, e), vAdd(value, e))
    f.set(y, vAdd(y, vAdd(correction, correction)))
  }
  f.set(out, y)
}
