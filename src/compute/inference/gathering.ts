import type { Size } from '../data/resize.ts'
import type { Copy } from './copies.ts'
import type { Tile } from './tiles.ts'

/**
 * What the values of a network's channels become before they are averaged. `softmax`: probabilities that add up to 1.
 * `sigmoid`: one for each channel. `relu`: cut at 0 and 1. `none`: as they are.
 */
export type Activation = 'softmax' | 'sigmoid' | 'relu' | 'none'

/** Averages the results of a picture's tiles and copies. */
export class Gathering {
  readonly #size: Size
  readonly #channels: number
  readonly #activation: Activation
  /** channels x height x width: weighted sums. */
  readonly #sums: Float32Array
  /** Of the weights, by pixel; null as long as each tile counted 1 everywhere. */
  #weights: Float32Array | null = null
  /** How often each pixel came, where all weights are 1. */
  readonly #copies: number

  constructor(size: Size, channels: number, activation: Activation, copies: number) {
    this.#size = size
    this.#channels = channels
    this.#activation = activation
    this.#copies = copies
    this.#sums = new Float32Array(channels * size.width * size.height)
  }

  /** `values`: pixels of the tile's input x channels, in the copy. */
  add(copy: Copy, { input, keep, ramp }: Tile, values: Float32Array): void {
    if (ramp !== undefined) this.#weights ??= new Float32Array(this.#size.width * this.#size.height)
    const weights = this.#weights
    const channels = this.#channels
    for (let y = keep.top; y < keep.top + keep.height; y++) {
      let at = ((y - input.top) * input.width + (keep.left - input.left)) * channels
      let to = copy.origin + keep.left * copy.column + y * copy.row
      const ofRow = ramp?.rows[y - ramp.top] ?? 1
      for (let x = keep.left; x < keep.left + keep.width; x++, at += channels, to += copy.column) {
        const weight = ofRow * (ramp?.columns[x - ramp.left] ?? 1)
        if (weights !== null) weights[to] = (weights[to] ?? 0) + weight
        this.#addPixel(values, at, to, weight)
      }
    }
  }

  /** The averages: channels x height x width. Nothing may be added afterwards. */
  finish(): Float32Array {
    const sums = this.#sums
    const weights = this.#weights
    const pixels = this.#size.width * this.#size.height
    if (weights === null) {
      if (this.#copies > 1) for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] ?? 0) / this.#copies
      return sums
    }
    for (let c = 0; c < this.#channels; c++) {
      for (let i = 0; i < pixels; i++) sums[c * pixels + i] = (sums[c * pixels + i] ?? 0) / (weights[i] ?? 1)
    }
    return sums
  }

  #addPixel(values: Float32Array, at: number, to: number, weight: number): void {
    const sums = this.#sums
    const channels = this.#channels
    const pixels = this.#size.width * this.#size.height
    switch (this.#activation) {
      case 'softmax': {
        let top = values[at] ?? 0
        for (let c = 1; c < channels; c++) top = Math.max(top, values[at + c] ?? 0)
        let sum = 0
        for (let c = 0; c < channels; c++) sum += values[at + c] = Math.exp((values[at + c] ?? 0) - top)
        const share = weight / sum
        for (let c = 0, i = to; c < channels; c++, i += pixels) sums[i] = (sums[i] ?? 0) + share * (values[at + c] ?? 0)
        return
      }
      case 'sigmoid':
        for (let c = 0, i = to; c < channels; c++, i += pixels) {
          sums[i] = (sums[i] ?? 0) + weight / (1 + Math.exp(-(values[at + c] ?? 0)))
        }
        return
      case 'relu':
        for (let c = 0, i = to; c < channels; c++, i += pixels) {
          sums[i] = (sums[i] ?? 0) + weight * Math.min(1, Math.max(0, values[at + c] ?? 0))
        }
        return
      case 'none':
        for (let c = 0, i = to; c < channels; c++, i += pixels)
          sums[i] = (sums[i] ?? 0) + weight * (values[at + c] ?? 0)
    }
  }
}
