import {
  add,
  and,
  choose,
  FunctionBuilder,
  i32,
  isBelow,
  isEqual,
  load,
  loadFloat,
  loadInteger,
  multiply,
  subtract,
  vConstant,
} from './assembler.ts'
import { OUT_BLOCK, TAP_BYTES } from './convolution.ts'
import { QUAD } from './quads.ts'

const FLOAT = 4

/**
 * packFilter(begin, end, filter, taps, tapCount, channels, outChannels, tapBytes, channelBytes, outBytes, packed): copies
 * a filter into the order in which `convolve` reads it: blocks of [tap, channel, eight output channels], the last of four
 * where four are enough, zero where there are none. The taps' places in the filter are those of the table; the other
 * three are the bytes from one tap, input channel and output channel to the next. Units: blocks.
 */
export function packFilterFunction(): FunctionBuilder {
  const f = new FunctionBuilder('packFilter')
  const integer = () => f.parameter('i32')
  const [begin, end, filter, taps, tapCount] = [integer(), integer(), integer(), integer(), integer()]
  const [channels, outChannels] = [integer(), integer()]
  const [tapBytes, channelBytes, outBytes, packed] = [integer(), integer(), integer(), integer()]
  const whole = f.local('i32')
  const to = f.let(add(packed, multiply(begin, multiply(multiply(tapCount, channels), i32(OUT_BLOCK * FLOAT)))))
  const block = f.let(begin)
  const [tap, from, at, next, valid, size] = [
    f.local('i32'),
    f.local('i32'),
    f.local('i32'),
    f.local('i32'),
    f.local('i32'),
    f.local('i32'),
  ]
  const copyOne = () => {
    f.store(to, vConstant(0))
    f.when(isBelow(i32(QUAD), size), () => {
      f.store(to, vConstant(0), QUAD)
    })
    f.set(at, from)
    f.set(next, to)
    f.repeat(valid, () => {
      f.storeFloat(next, loadFloat(at))
      f.set(at, add(at, outBytes))
      f.set(next, add(next, i32(FLOAT)))
    })
  }
  f.repeat(subtract(end, begin), () => {
    f.set(valid, subtract(outChannels, multiply(block, i32(OUT_BLOCK))))
    f.set(size, choose(isBelow(valid, i32(5)), i32(QUAD), i32(2 * QUAD)))
    f.set(valid, choose(isBelow(valid, i32(OUT_BLOCK)), valid, i32(OUT_BLOCK)))
    f.set(whole, and(isEqual(valid, i32(OUT_BLOCK)), isEqual(outBytes, i32(FLOAT))))
    f.set(tap, taps)
    f.repeat(tapCount, () => {
      f.set(from, add(filter, multiply(loadInteger(tap, 2 * FLOAT), tapBytes)))
      f.set(from, add(from, multiply(block, multiply(outBytes, i32(OUT_BLOCK)))))
      f.repeat(channels, () => {
        f.when(
          whole,
          () => {
            for (const distance of [0, QUAD]) f.store(to, load(from, distance), distance)
          },
          copyOne,
        )
        f.set(from, add(from, channelBytes))
        f.set(to, add(to, size))
      })
      f.set(tap, add(tap, i32(TAP_BYTES)))
    })
    f.set(block, add(block, i32(1)))
  })
  return f
}
