import type { Axis, Dims, VoxelType } from '../../core/contract/schemas.ts'
import { extractSlice } from '../../core/labelmap/index.ts'
import { typeOf } from '../nifti/datatypes.ts'
import type { VoxelArray } from '../types.ts'
import type { StoreOptions, VoxelStore } from './store.ts'

/** Voxels per piece: a few MiB of any type. */
const PIECE = 2 ** 20

/** Voxels that are decoded already, in memory. Throws RangeError where `data` does not fill `dims`. */
export function memoryStore(data: VoxelArray, dims: Dims, channels: 1 | 3 = 1): VoxelStore {
  if (data.length !== dims[0] * dims[1] * dims[2] * channels) {
    throw new RangeError(`memoryStore: ${data.length} samples for ${dims.join(' x ')} x ${channels}`)
  }
  return new MemoryStore(data, dims, channels)
}

class MemoryStore implements VoxelStore {
  readonly dims: Dims
  readonly channels: 1 | 3
  readonly voxelType: VoxelType
  readonly byteLength: number
  readonly heldBytes: number
  readonly #data: VoxelArray

  constructor(data: VoxelArray, dims: Dims, channels: 1 | 3) {
    this.dims = dims
    this.channels = channels
    this.voxelType = typeOf(data)
    this.byteLength = data.byteLength
    this.heldBytes = data.byteLength
    this.#data = data
  }

  complete(): Promise<void> {
    return Promise.resolve()
  }

  slice(axis: Axis, index: number): Promise<VoxelArray> {
    return Promise.resolve(extractSlice(this.#data, this.dims, axis, index, this.channels))
  }

  async *pieces({ signal }: StoreOptions = {}): AsyncIterable<VoxelArray> {
    const step = PIECE * this.channels
    for (let at = 0; at < this.#data.length; at += step) {
      signal?.throwIfAborted()
      yield this.#data.subarray(at, at + step)
    }
  }

  all(): Promise<VoxelArray> {
    return Promise.resolve(this.#data)
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
