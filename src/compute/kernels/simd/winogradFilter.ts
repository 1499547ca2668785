import {
  add,
  FunctionBuilder,
  i32,
  load,
  multiply,
  subtract,
  vAdd,
  vConstant,
  vMultiply,
  vSubtract,
} from './assembler.ts'
import { OUT_BLOCK } from './convolution.ts'
import { QUAD } from './quads.ts'
import type { V128 } from './assembler.ts'

const FLOAT = 4

/**
 * winogradFilter(begin, end, packed, to, channels): G g G' (winograd.ts) of a 3 x 3 filter that packFilter packed, in whole
 * blocks of eight output channels: [block, 9 taps, channel, 8] to [block, 16 places, channel, 8]. Units: blocks.
 */
export function winogradFilterFunction(): FunctionBuilder {
  const f = new FunctionBuilder('winogradFilter')
  const [begin, end] = [f.parameter('i32'), f.parameter('i32')]
  const [packed, to, channels] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')]
  const placeBytes = f.let(multiply(channels, i32(OUT_BLOCK * FLOAT)))
  const at = f.local('i32')
  const taps = [f.local('v128'), f.local('v128'), f.local('v128')] as const
  const rows = Array.from({ length: 12 }, () => f.local('v128'))
  const half = f.let(vConstant(0.5))
  /** G of three values: the first, half of all with the second added or taken away, the third. */
  const combined = (a: V128, b: V128, c: V128): V128[] => [
    a,
    vMultiply(vAdd(vAdd(a, c), b), half),
    vMultiply(vSubtract(vAdd(a, c), b), half),
    c,
  ]
  const rowsAt = (index: number) => {
    const found = rows[index]
    if (found === undefined) throw new Error('There are twelve.')
    return found
  }
  f.set(packed, add(packed, multiply(begin, multiply(placeBytes, i32(9)))))
  f.set(to, add(to, multiply(begin, multiply(placeBytes, i32(16)))))
  f.repeat(subtract(end, begin), () => {
    f.repeat(multiply(channels, i32(OUT_BLOCK / 4)), () => {
      for (let j = 0; j < 3; j++) {
        taps.forEach((tap, i) => {
          f.set(tap, load(add(packed, multiply(placeBytes, i32(3 * i + j)))))
        })
        combined(...taps).forEach((value, i) => {
          f.set(rowsAt(3 * i + j), value)
        })
      }
      f.set(at, to)
      for (let i = 0; i < 4; i++) {
        for (const value of combined(rowsAt(3 * i), rowsAt(3 * i + 1), rowsAt(3 * i + 2))) {
          f.store(at, value)
          f.set(at, add(at, placeBytes))
        }
      }
      f.set(packed, add(packed, i32(QUAD)))
      f.set(to, add(to, i32(QUAD)))
    })
    f.set(packed, add(packed, multiply(placeBytes, i32(8))))
    f.set(to, add(to, multiply(placeBytes, i32(15))))
  })
  return f
}
