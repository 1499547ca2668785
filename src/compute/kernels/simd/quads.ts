import { add, i32, multiply, quarter, subtract } from './assembler.ts'
import type { FunctionBuilder, I32, Local } from './assembler.ts'

/** Bytes of four floats. */
export const QUAD = 16

/** Runs a body over the channels of a pixel, four at a time. */
export interface Quads {
  /** `pointers` lie at the pixel's first channel and are moved on to behind its last. */
  forEach(pointers: readonly Local<'i32'>[], body: () => void): void
}

/**
 * For any number of channels from four on: where it is no multiple of four, the last four overlap those before, so the
 * body must give the same when it meets a channel twice.
 */
export function quadsOf(f: FunctionBuilder, channels: I32): Quads {
  const whole = f.let(quarter(channels))
  const rest = f.let(subtract(channels, multiply(whole, i32(4))))
  const once = f.let(quarter(add(rest, i32(3))))
  const back = f.let(multiply(subtract(i32(4), rest), i32(-4)))
  const move = (pointers: readonly Local<'i32'>[], distance: I32) => {
    for (const pointer of pointers) f.set(pointer, add(pointer, distance))
  }
  return {
    forEach(pointers, body) {
      f.repeat(whole, () => {
        body()
        move(pointers, i32(QUAD))
      })
      f.repeat(once, () => {
        move(pointers, back)
        body()
        move(pointers, i32(QUAD))
      })
    },
  }
}
