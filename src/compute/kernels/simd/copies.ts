import { add, FunctionBuilder, i32, load, vAnd, vConstant, vGreater } from './assembler.ts'
import { QUAD, quadsOf } from './quads.ts'

/** splitChannels(from, first, second, pixels, a, b): [pixels, a + b] into [pixels, a] and [pixels, b]; a, b >= 4. */
export function splitChannelsFunction(): FunctionBuilder {
  const f = new FunctionBuilder('splitChannels')
  const [from, first, second] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')]
  const [pixels, a, b] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')]
  const quads = [quadsOf(f, a), quadsOf(f, b)]
  f.repeat(pixels, () => {
    for (const [index, to] of [first, second].entries()) {
      quads[index]?.forEach([to, from], () => {
        f.store(to, load(from))
      })
    }
  })
  return f
}

/** joinChannels(to, first, second, pixels, a, b): the inverse of splitChannels. */
export function joinChannelsFunction(): FunctionBuilder {
  const f = new FunctionBuilder('joinChannels')
  const [to, first, second] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')]
  const [pixels, a, b] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')]
  const quads = [quadsOf(f, a), quadsOf(f, b)]
  f.repeat(pixels, () => {
    for (const [index, from] of [first, second].entries()) {
      quads[index]?.forEach([to, from], () => {
        f.store(to, load(from))
      })
    }
  })
  return f
}

/** reluGradient(y, dy, dx, quads): dy where y is above zero, else zero; four values a quad. */
export function reluGradientFunction(): FunctionBuilder {
  const f = new FunctionBuilder('reluGradient')
  const [y, dy, dx, quads] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32'), f.parameter('i32')]
  f.repeat(quads, () => {
    f.store(dx, vAnd(load(dy), vGreater(load(y), vConstant(0))))
    for (const pointer of [y, dy, dx]) f.set(pointer, add(pointer, i32(QUAD)))
  })
  return f
}
