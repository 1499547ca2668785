import { createHash } from 'node:crypto'
import type { VoxelArray } from '../types.ts'

/** A checksum of samples in their order, however they are cut into pieces: what is written and what is read are compared by it. */
export class Digest {
  readonly channels: 1 | 3
  readonly #hash = createHash('sha256')
  #samples = 0
  #value: string | null = null

  constructor(channels: 1 | 3) {
    this.channels = channels
  }

  add(samples: VoxelArray): void {
    this.#hash.update(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength))
    this.#samples += samples.length
  }

  get samples(): number {
    return this.#samples
  }

  /** Nothing can be added any more. */
  value(): string {
    return (this.#value ??= this.#hash.digest('hex'))
  }
}
