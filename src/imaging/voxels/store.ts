import type { Axis, Dims, VoxelType } from '../../core/contract/schemas.ts'
import type { VoxelArray } from '../types.ts'

export interface StoreOptions {
  readonly signal?: AbortSignal | undefined
}

/**
 * The voxels of an opened image, held once and in one type: in memory, in a scratch file, or left in the image file.
 * They can still be arriving: every method waits for what it needs, and for no more. Methods throw a CodedError that
 * names the file where the rest of it turns out to be damaged, and 'cancelled' where the signal says so.
 */
export interface VoxelStore {
  readonly dims: Dims
  readonly channels: 1 | 3
  readonly voxelType: VoxelType
  /** All voxels, decoded, wherever they lie. */
  readonly byteLength: number
  /** What of it is held in memory while the image is open. */
  readonly heldBytes: number
  /** Resolves when every voxel is there; rejects where the file is damaged further on. Never unhandled. */
  complete(options?: StoreOptions): Promise<void>
  /** A copy of one slice across `axis`, the lower of the other axes fastest, channels interleaved. */
  slice(axis: Axis, index: number, options?: StoreOptions): Promise<VoxelArray>
  /**
   * All voxels in file order (x fastest, channels interleaved), in pieces of whole voxels of at most some MiB. A piece may share
   * memory with the store: it is not to be written to, nor kept.
   */
  pieces(options?: StoreOptions): AsyncIterable<VoxelArray>
  /**
   * All voxels as one array, which may be the store's own memory and is not to be written to. For images that are small
   * enough; throws CodedError('bad-file') where they do not fit into memory.
   */
  all(options?: StoreOptions): Promise<VoxelArray>
  /** Frees what is held. Ends reading that is under way. Nothing may be asked afterwards. */
  close(): Promise<void>
}
