import type { Dims } from '../../core/contract/schemas.ts'
import type { LabelArray, VoxelArray } from '../types.ts'

/** The largest label, 0 for an empty mask. */
export function largestLabel(labels: LabelArray): number {
  let largest = 0
  for (const label of labels) if (label > largest) largest = label
  return largest
}

/** 8, 16 or 32: the bits of the smallest unsigned type that holds the label. */
export function bitsFor(largest: number): 8 | 16 | 32 {
  return largest < 2 ** 8 ? 8 : largest < 2 ** 16 ? 16 : 32
}

/** An empty label map of the smallest unsigned type that holds `largest`. */
export function emptyLabels(voxels: number, largest: number): LabelArray {
  const bits = bitsFor(largest)
  return bits === 8 ? new Uint8Array(voxels) : bits === 16 ? new Uint16Array(voxels) : new Uint32Array(voxels)
}

/**
 * The same labels in the smallest unsigned type that holds them all and has at least so many bits: the array itself where
 * it has that type.
 */
export function smallestLabels(labels: LabelArray, leastBits: 8 | 16 = 8): LabelArray {
  if (labels instanceof Uint8Array && leastBits === 8) return labels
  const bits = Math.max(leastBits, bitsFor(largestLabel(labels)))
  if (labels.BYTES_PER_ELEMENT * 8 === bits) return labels
  if (bits === 32) return Uint32Array.from(labels)
  return bits === 8 ? Uint8Array.from(labels) : Uint16Array.from(labels)
}

/** How many voxels each label has, background left out, by value. */
export function countLabels(labels: LabelArray): Map<number, number> {
  const counts = new Map<number, number>()
  // Labels come in runs: one look-up a run.
  for (let i = 0; i < labels.length;) {
    const label = labels[i] ?? 0
    let end = i + 1
    while (end < labels.length && labels[end] === label) end++
    if (label !== 0) counts.set(label, (counts.get(label) ?? 0) + end - i)
    i = end
  }
  return new Map([...counts].sort(([a], [b]) => a - b))
}

/** A position as people count it in files: (x, y, z), or (x, y) in a picture, from 0. */
export function placeOf(index: number, dims: Dims): string {
  const x = index % dims[0]
  const y = Math.floor(index / dims[0]) % dims[1]
  const z = Math.floor(index / (dims[0] * dims[1]))
  return dims[2] === 1 ? `pixel (${x}, ${y})` : `voxel (${x}, ${y}, ${z})`
}

/**
 * Fills a label map piece by piece from samples of any type; starts with one byte a voxel and grows where a larger label
 * comes. `add` throws by `refuse` at the first value that is no whole number from 0 to 2^32 - 1.
 */
export class LabelFiller {
  #labels: LabelArray
  #at = 0
  readonly #refuse: (value: number, index: number) => Error

  constructor(voxels: number, refuse: (value: number, index: number) => Error) {
    this.#labels = new Uint8Array(voxels)
    this.#refuse = refuse
  }

  add(piece: VoxelArray, slope = 1, inter = 0): void {
    if (slope === 1 && inter === 0 && piece instanceof Uint8Array) {
      this.#labels.set(piece, this.#at)
      this.#at += piece.length
      return
    }
    for (let i = 0; i < piece.length; i++, this.#at++) {
      const value = (piece[i] ?? 0) * slope + inter
      if (!(value >= 0 && value <= 0xffffffff && Number.isInteger(value))) throw this.#refuse(value, this.#at)
      if (value > 255 && !this.#fits(value)) this.#grow(value)
      this.#labels[this.#at] = value
    }
  }

  take(): LabelArray {
    return this.#labels
  }

  #fits(value: number): boolean {
    return value < 2 ** (8 * this.#labels.BYTES_PER_ELEMENT)
  }

  #grow(value: number): void {
    const larger = emptyLabels(this.#labels.length, value)
    larger.set(this.#labels)
    this.#labels = larger
  }
}
