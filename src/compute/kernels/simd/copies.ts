import { add, FunctionBuilder, i32, load, multiply, subtract, vAnd, vConstant, vGreater } from './assembler.ts'
import { QUAD, quadsOf } from './quads.ts'

/** splitChannels(begin, end, from, first, second, a, b): pixels of [a + b] into [a] and [b]; a, b >= 4. Units: pixels. */
export function splitChannelsFunction(): FunctionBuilder {
  return channelsFunction('splitChannels', true)
}

/** joinChannels(begin, end, to, first, second, a, b): the inverse of splitChannels. */
export function joinChannelsFunction(): FunctionBuilder {
  return channelsFunction('joinChannels', false)
}

function channelsFunction(name: string, split: boolean): FunctionBuilder {
  const f = new FunctionBuilder(name)
  const [begin, end] = [f.parameter('i32'), f.parameter('i32')]
  const [both, first, second] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')]
  const [a, b] = [f.parameter('i32'), f.parameter('i32')]
  for (const [pointer, channels] of [
    [both, add(a, b)],
    [first, a],
    [second, b],
  ] as const) {
    f.set(pointer, add(pointer, multiply(begin, multiply(channels, i32(4)))))
  }
  const parts = [
    { part: first, quads: quadsOf(f, a) },
    { part: second, quads: quadsOf(f, b) },
  ]
  f.repeat(subtract(end, begin), () => {
    for (const { part, quads } of parts) {
      quads.forEach([part, both], () => {
        if (split) f.store(part, load(both))
        else f.store(both, load(part))
      })
    }
  })
  return f
}

/** reluGradient(begin, end, y, dy, dx): dy where y is above zero, else zero. Units: four values. */
export function reluGradientFunction(): FunctionBuilder {
  const f = new FunctionBuilder('reluGradient')
  const [begin, end] = [f.parameter('i32'), f.parameter('i32')]
  const [y, dy, dx] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')]
  for (const pointer of [y, dy, dx]) f.set(pointer, add(pointer, multiply(begin, i32(QUAD))))
  f.repeat(subtract(end, begin), () => {
    f.store(dx, vAnd(load(dy), vGreater(load(y), vConstant(0))))
    for (const pointer of [y, dy, dx]) f.set(pointer, add(pointer, i32(QUAD)))
  })
  return f
}
