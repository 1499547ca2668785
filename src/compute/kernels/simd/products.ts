import { add, and, i32, load, loadSplat, quarter } from './assembler.ts'
import { vMultiplyAdd } from './features.ts'
import { QUAD } from './quads.ts'
import type { FunctionBuilder, I32, Local } from './assembler.ts'

const FLOAT = 4

/** Sums of products in registers: a few pixels by four or eight output channels. */
export interface Products {
  /** One for each pixel: where its input channels lie; moved on behind them. */
  readonly pointers: readonly Local<'i32'>[]
  /** Where the weights lie, `quads` times four for each input channel; moved on behind them. */
  readonly weights: Local<'i32'>
  /** The sums of the first `pixels` pixels by channel: those of a pixel side by side. */
  sumsOf(pixels: number, quads: 1 | 2): Local<'v128'>[]
  /** Code that adds, for each of `channels` input channels, its value times its weights to the sums of each pixel. */
  add(pixels: number, quads: 1 | 2, channels: I32): void
}

/** With six pixels and eight channels, sums, weights and a value take fifteen of the sixteen registers that there are. */
export function createProducts(f: FunctionBuilder, most: number): Products {
  const pointers = Array.from({ length: most }, () => f.local('i32'))
  const sums = Array.from({ length: 2 * most }, () => f.local('v128'))
  const [weight0, weight1, value] = [f.local('v128'), f.local('v128'), f.local('v128')]
  const weights = f.local('i32')
  const step = (pixels: number, quads: 1 | 2, channel: number) => {
    const loaded = [weight0, weight1].slice(0, quads)
    loaded.forEach((weight, q) => {
      f.set(weight, load(weights, (channel * quads + q) * QUAD))
    })
    pointers.slice(0, pixels).forEach((pointer, p) => {
      f.set(value, loadSplat(pointer, channel * FLOAT))
      loaded.forEach((weight, q) => {
        const sum = sums[p * quads + q] ?? value
        f.set(sum, vMultiplyAdd(value, weight, sum))
      })
    })
  }
  return {
    pointers,
    weights,
    sumsOf: (pixels, quads) => sums.slice(0, pixels * quads),
    add(pixels, quads, channels) {
      for (const [count, unrolled] of [
        [quarter(channels), 4],
        [and(channels, i32(3)), 1],
      ] as const) {
        f.repeat(count, () => {
          for (let channel = 0; channel < unrolled; channel++) step(pixels, quads, channel)
          for (const pointer of pointers.slice(0, pixels)) f.set(pointer, add(pointer, i32(unrolled * FLOAT)))
          f.set(weights, add(weights, i32(unrolled * quads * QUAD)))
        })
      }
    },
  }
}
