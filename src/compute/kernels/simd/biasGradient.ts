import {
  add,
  FunctionBuilder,
  i32,
  minimum,
  multiply,
  quarter,
  subtract,
  vAdd,
  vAnd,
  vConstant,
  vGreater,
} from './assembler.ts'
import { lanesOf } from './lanes.ts'
import { QUAD } from './quads.ts'

/** Pixels of a unit of biasGradient: as many as a near cache holds with all their channels. */
export const BIAS_BLOCK = 256

/**
 * biasGradient(begin, end, y, dy, dx, partial, pixels, channels) with ReLU, biasGradient(begin, end, dy, partial, pixels,
 * channels) without: for a block of pixels, dx = dy where y is above zero, else zero, and the sum of dx, or of dy, by
 * channel to partial[block, channels rounded up to fours]. Units: blocks of BIAS_BLOCK pixels.
 */
export function biasGradientFunction(relu: boolean): FunctionBuilder {
  const f = new FunctionBuilder(relu ? 'reluBiasGradient' : 'biasGradient')
  const [begin, end] = [f.parameter('i32'), f.parameter('i32')]
  const y = relu ? f.parameter('i32') : null
  const dy = f.parameter('i32')
  const dx = relu ? f.parameter('i32') : null
  const [partial, pixels, channels] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')]
  const stride = f.let(multiply(channels, i32(4)))
  const sumBytes = f.let(multiply(quarter(add(channels, i32(3))), i32(QUAD)))
  const lanes = lanesOf(f, channels)
  const first = f.let(multiply(begin, i32(BIAS_BLOCK)))
  const arrays = [dy, ...(y === null || dx === null ? [] : [y, dx])]
  for (const pointer of arrays) f.set(pointer, add(pointer, multiply(first, stride)))
  f.set(partial, add(partial, multiply(begin, sumBytes)))
  const [count, toNext, sumAt] = [f.local('i32'), f.local('i32'), f.local('i32')]
  const [outer, output, inner] = [f.local('i32'), f.local('i32'), f.local('i32')]
  const [sum, value] = [f.local('v128'), f.local('v128')]
  f.repeat(subtract(end, begin), () => {
    f.set(count, minimum(subtract(pixels, first), i32(BIAS_BLOCK)))
    f.set(toNext, multiply(subtract(count, i32(1)), stride))
    f.set(sumAt, partial)
    lanes([...arrays, sumAt], ({ load, store }) => {
      f.set(sum, vConstant(0))
      f.set(outer, dy)
      if (y !== null) f.set(output, y)
      if (dx !== null) f.set(inner, dx)
      f.repeat(count, () => {
        f.set(value, load(outer))
        if (y !== null && dx !== null) {
          f.set(value, vAnd(value, vGreater(load(output), vConstant(0))))
          store(inner, value)
          for (const pointer of [output, inner]) f.set(pointer, add(pointer, stride))
        }
        f.set(sum, vAdd(sum, value))
        f.set(outer, add(outer, stride))
      })
      store(sumAt, sum)
    })
    // The lanes moved the pointers on by one pixel.
    for (const pointer of arrays) f.set(pointer, add(pointer, toNext))
    f.set(partial, add(partial, sumBytes))
    f.set(first, add(first, i32(BIAS_BLOCK)))
  })
  return f
}
