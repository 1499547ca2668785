import {
  add,
  FunctionBuilder,
  i32,
  load,
  multiply,
  subtract,
  vAdd,
  vAnd,
  vAndNot,
  vEqual,
  vMax,
  vOr,
} from './assembler.ts'
import { lanesOf } from './lanes.ts'
import { quadsOf } from './quads.ts'
import type { I32 } from './assembler.ts'

/**
 * maxPool2(begin, end, x, y, width, channels): max pooling by 2 x 2 without padding, x [2 rows, 2 width, channels], y
 * [rows, width, channels]. Units: rows of y, counted over the whole batch.
 */
export function maxPool2Function(): FunctionBuilder {
  const f = new FunctionBuilder('maxPool2')
  const [begin, end] = [f.parameter('i32'), f.parameter('i32')]
  const [x, y] = [f.parameter('i32'), f.parameter('i32')]
  const [width, channels] = [f.parameter('i32'), f.parameter('i32')]
  const lanes = lanesOf(f, channels)
  const { pixel, row, below } = pairs(f, width, channels)
  f.set(x, add(x, multiply(begin, multiply(row, i32(2)))))
  f.set(y, add(y, multiply(begin, multiply(width, pixel))))
  f.repeat(subtract(end, begin), () => {
    f.repeat(width, () => {
      lanes([x, y], ({ load, store }) => {
        const upper = vMax(load(x), load(add(x, pixel)))
        const lower = vMax(load(add(x, row)), load(add(x, below)))
        store(y, vMax(upper, lower))
      })
      // Past the second pixel of the pair.
      f.set(x, add(x, pixel))
    })
    f.set(x, add(x, row))
  })
  return f
}

/**
 * upsample2(begin, end, x, y, width, channels): nearest up-sampling by two, x [rows, width, channels], y [2 rows, 2 width,
 * channels]. Units: rows of x, counted over the whole batch.
 */
export function upsample2Function(): FunctionBuilder {
  const f = new FunctionBuilder('upsample2')
  const [begin, end] = [f.parameter('i32'), f.parameter('i32')]
  const [x, y] = [f.parameter('i32'), f.parameter('i32')]
  const [width, channels] = [f.parameter('i32'), f.parameter('i32')]
  const lanes = lanesOf(f, channels)
  const { pixel, row, below } = pairs(f, width, channels)
  const value = f.local('v128')
  f.set(x, add(x, multiply(begin, multiply(width, pixel))))
  f.set(y, add(y, multiply(begin, multiply(row, i32(2)))))
  f.repeat(subtract(end, begin), () => {
    f.repeat(width, () => {
      lanes([x, y], ({ load, store }) => {
        f.set(value, load(x))
        for (const to of [y, add(y, pixel), add(y, row), add(y, below)]) store(to, value)
      })
      f.set(y, add(y, pixel))
    })
    f.set(y, add(y, row))
  })
  return f
}

/**
 * maxPool2Gradient(begin, end, x, dy, dx, width, channels): the gradient of max pooling by 2 x 2 without padding, x and dx
 * [2 rows, 2 width, channels], dy [rows, width, channels]; at least four channels. Units: rows of dy, counted over the
 * whole batch. The first of equal values gets the gradient.
 */
export function maxPool2GradientFunction(): FunctionBuilder {
  const f = new FunctionBuilder('maxPool2Gradient')
  const [begin, end] = [f.parameter('i32'), f.parameter('i32')]
  const [x, dy, dx] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')]
  const [width, channels] = [f.parameter('i32'), f.parameter('i32')]
  const quads = quadsOf(f, channels)
  const { pixel, row, below } = pairs(f, width, channels)
  const [a, b, c, d] = [f.local('v128'), f.local('v128'), f.local('v128'), f.local('v128')]
  const [top, taken, gradient] = [f.local('v128'), f.local('v128'), f.local('v128')]
  for (const pointer of [x, dx]) f.set(pointer, add(pointer, multiply(begin, multiply(row, i32(2)))))
  f.set(dy, add(dy, multiply(begin, multiply(width, pixel))))
  f.repeat(subtract(end, begin), () => {
    f.repeat(width, () => {
      quads.forEach([x, dy, dx], () => {
        f.set(a, load(x))
        f.set(b, load(add(x, pixel)))
        f.set(c, load(add(x, row)))
        f.set(d, load(add(x, below)))
        f.set(top, vMax(vMax(a, b), vMax(c, d)))
        f.set(gradient, load(dy))
        f.set(taken, vEqual(a, top))
        f.store(dx, vAnd(gradient, taken))
        f.set(b, vAndNot(vEqual(b, top), taken))
        f.store(add(dx, pixel), vAnd(gradient, b))
        f.set(taken, vOr(taken, b))
        f.set(c, vAndNot(vEqual(c, top), taken))
        f.store(add(dx, row), vAnd(gradient, c))
        f.set(taken, vOr(taken, c))
        f.store(add(dx, below), vAndNot(gradient, taken))
      })
      // Past the second pixel of the pair.
      for (const pointer of [x, dx]) f.set(pointer, add(pointer, pixel))
    })
    for (const pointer of [x, dx]) f.set(pointer, add(pointer, row))
  })
  return f
}

/**
 * upsample2Gradient(begin, end, dy, dx, width, channels): of nearest up-sampling by two; dy [2 rows, 2 width, channels].
 * Units: rows of dx, counted over the whole batch.
 */
export function upsample2GradientFunction(): FunctionBuilder {
  const f = new FunctionBuilder('upsample2Gradient')
  const [begin, end] = [f.parameter('i32'), f.parameter('i32')]
  const [dy, dx] = [f.parameter('i32'), f.parameter('i32')]
  const [width, channels] = [f.parameter('i32'), f.parameter('i32')]
  const quads = quadsOf(f, channels)
  const { pixel, row, below } = pairs(f, width, channels)
  f.set(dy, add(dy, multiply(begin, multiply(row, i32(2)))))
  f.set(dx, add(dx, multiply(begin, multiply(width, pixel))))
  f.repeat(subtract(end, begin), () => {
    f.repeat(width, () => {
      quads.forEach([dy, dx], () => {
        const upper = vAdd(load(dy), load(add(dy, pixel)))
        const lower = vAdd(load(add(dy, row)), load(add(dy, below)))
        f.store(dx, vAdd(upper, lower))
      })
      f.set(dy, add(dy, pixel))
    })
    f.set(dy, add(dy, row))
  })
  return f
}

/** Bytes of a pixel, of a row of the image that is twice as wide, and from the first to the last pixel of a pair of pairs. */
function pairs(f: FunctionBuilder, width: I32, channels: I32): { pixel: I32; row: I32; below: I32 } {
  const pixel = f.let(multiply(channels, i32(4)))
  const row = f.let(multiply(multiply(width, i32(2)), pixel))
  return { pixel, row, below: f.let(add(row, pixel)) }
}
