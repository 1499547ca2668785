import { add, i32, load, loadFirst, minimum, multiply, quarter, subtract } from './assembler.ts'
import { QUAD } from './quads.ts'
import type { FunctionBuilder, I32, Local, V128 } from './assembler.ts'

const FLOAT = 4

/** Reads and writes four floats, or one. */
export interface Access {
  readonly load: (address: I32) => V128
  readonly store: (address: I32, value: V128) => void
}

/** Of four floats, and of a single one, whose fellows in the vector are zero. */
export function accessOf(f: FunctionBuilder): { four: Access; single: Access } {
  return {
    four: { load, store: (address, value) => f.store(address, value) },
    single: { load: loadFirst, store: (address, value) => f.storeFirst(address, value) },
  }
}

/**
 * Runs a body for four channels at a time, the last four overlapping those before where the number is no multiple of four;
 * or for one at a time, below four channels. The body may meet a channel twice. Moves the pointers on.
 */
export function lanesOf(
  f: FunctionBuilder,
  channels: I32,
): (pointers: readonly Local<'i32'>[], body: (access: Access) => void) => void {
  const whole = f.let(quarter(channels))
  const rest = f.let(subtract(channels, multiply(whole, i32(4))))
  const wide = f.let(minimum(whole, i32(1)))
  const once = f.let(multiply(quarter(add(rest, i32(3))), wide))
  const single = f.let(multiply(channels, subtract(i32(1), wide)))
  const back = f.let(multiply(subtract(i32(4), rest), i32(-FLOAT)))
  return (pointers, body) => {
    const move = (distance: I32) => {
      for (const pointer of pointers) f.set(pointer, add(pointer, distance))
    }
    const { four, single: one } = accessOf(f)
    f.repeat(whole, () => {
      body(four)
      move(i32(QUAD))
    })
    f.repeat(once, () => {
      move(back)
      body(four)
      move(i32(QUAD))
    })
    f.repeat(single, () => {
      body(one)
      move(i32(FLOAT))
    })
  }
}

/** Runs a body once for each float of `count`: four at a time, and the last ones singly. Moves the pointers on. */
export function forEachFloat(
  f: FunctionBuilder,
  count: I32,
  pointers: readonly Local<'i32'>[],
  body: (access: Access) => void,
): void {
  const { four, single } = accessOf(f)
  const move = (distance: number) => {
    for (const pointer of pointers) f.set(pointer, add(pointer, i32(distance)))
  }
  f.repeat(quarter(count), () => {
    body(four)
    move(QUAD)
  })
  f.repeat(subtract(count, multiply(quarter(count), i32(4))), () => {
    body(single)
    move(FLOAT)
  })
}
