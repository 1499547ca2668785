import type { Axis, Dims, VoxelType } from '../../core/contract/schemas.ts'
import { CodedError } from '../../core/contract/errors.ts'
import { extractSlice } from '../../core/labelmap/index.ts'
import type { VoxelArray } from '../types.ts'
import { typeOf } from './arrays.ts'
import type { Arrival } from './arrival.ts'
import type { StoreOptions, VoxelStore } from './store.ts'

/** Voxels per piece: a few MiB of any type. */
export const PIECE = 2 ** 20

/** Voxels that are decoded already, in memory. Throws RangeError where `data` does not fill `dims`. */
export function memoryStore(data: VoxelArray, dims: Dims, channels: 1 | 3 = 1): VoxelStore {
  if (data.length !== dims[0] * dims[1] * dims[2] * channels) {
    throw new RangeError(`memoryStore: ${data.length} samples for ${dims.join(' x ')} x ${channels}`)
  }
  return new MemoryStore(data, dims, channels, null)
}

/** Voxels that arrive in memory. `stop` ends that, and resolves when it has ended. */
export interface Filling {
  readonly arrival: Arrival
  stop(): Promise<void>
}

export class MemoryStore implements VoxelStore {
  readonly dims: Dims
  readonly channels: 1 | 3
  readonly voxelType: VoxelType
  readonly byteLength: number
  #data: VoxelArray
  readonly #filling: Filling | null
  #closed = false

  constructor(data: VoxelArray, dims: Dims, channels: 1 | 3, filling: Filling | null) {
    this.dims = dims
    this.channels = channels
    this.voxelType = typeOf(data)
    this.byteLength = data.byteLength
    this.#data = data
    this.#filling = filling
  }

  get heldBytes(): number {
    return this.#data.byteLength
  }

  async complete(options?: StoreOptions): Promise<void> {
    this.#refuseClosed()
    await this.#filling?.arrival.complete(options)
  }

  async slice(axis: Axis, index: number, options?: StoreOptions): Promise<VoxelArray> {
    const [nx, ny, nz] = this.dims
    await this.#filling?.arrival.until(nx * ny * (axis === 2 ? index + 1 : nz), options)
    this.#refuseClosed()
    return extractSlice(this.#data, this.dims, axis, index, this.channels)
  }

  async *pieces(options: StoreOptions = {}): AsyncIterable<VoxelArray> {
    const step = PIECE * this.channels
    const { length } = this.#data
    for (let at = 0; at < length; at += step) {
      options.signal?.throwIfAborted()
      await this.#filling?.arrival.until(Math.min(at + step, length) / this.channels, options)
      this.#refuseClosed()
      yield this.#data.subarray(at, at + step)
    }
    await this.complete(options)
  }

  async all(options?: StoreOptions): Promise<VoxelArray> {
    await this.complete(options)
    return this.#data
  }

  async close(): Promise<void> {
    await this.#filling?.stop()
    this.#data = this.#data.subarray(0, 0).slice()
    this.#closed = true
  }

  #refuseClosed(): void {
    if (this.#closed) throw new CodedError('cancelled', 'The image was closed while it was read.')
  }
}
