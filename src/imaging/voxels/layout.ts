import { totalmem } from 'node:os'
import type { Dims, VoxelType } from '../../core/contract/schemas.ts'
import type { CodedError } from '../../core/contract/errors.ts'
import { abortError, badFile, readError } from '../files.ts'
import { sampleBytes } from './arrays.ts'

/**
 * Turns whole voxels as they are in the file into voxels as they are held. `raw` begins at a multiple of 8 bytes, `out` at a
 * multiple of its sample's size; both hold the same number of voxels. Called with any run of voxels, in any order.
 */
export type Convert = (raw: Uint8Array<ArrayBuffer>, out: Uint8Array<ArrayBuffer>) => void

/** What the voxels of a file are, and what they become. */
export interface VoxelLayout {
  /** The file, as errors shall name it. */
  readonly path: string
  readonly dims: Dims
  readonly channels: 1 | 3
  /** As they are held. */
  readonly voxelType: VoxelType
  /** Bytes of a voxel in the file; as many as it is held in where left out. */
  readonly rawVoxelBytes?: number | undefined
  /** Left out where the file has them as they are held. */
  readonly convert?: Convert | undefined
}

export function voxelCount({ dims }: Pick<VoxelLayout, 'dims'>): number {
  return dims[0] * dims[1] * dims[2]
}

/** Bytes of a voxel as it is held. */
export function voxelBytes({ channels, voxelType }: Pick<VoxelLayout, 'channels' | 'voxelType'>): number {
  return channels * sampleBytes(voxelType)
}

export function rawBytesOf(layout: VoxelLayout): number {
  return layout.rawVoxelBytes ?? voxelBytes(layout)
}

/**
 * Decoded images of up to so many bytes are held in memory: 2 GiB, or a quarter of the memory of the computer where that is
 * less. MASKWRIGHT_VOXEL_MEMORY (bytes) says otherwise.
 */
export function voxelMemory(): number {
  const stated = Number(process.env.MASKWRIGHT_VOXEL_MEMORY ?? NaN)
  return Number.isSafeInteger(stated) && stated >= 0 ? stated : Math.min(2 * 2 ** 30, Math.floor(totalmem() / 4))
}

/** Zeroed memory, of which the system gives only what is written to. */
export function allocate(bytes: number, path: string): ArrayBuffer {
  try {
    return new ArrayBuffer(bytes)
  } catch (error) {
    throw tooLarge(bytes, path, error)
  }
}

export function tooLarge(bytes: number, path: string, cause?: unknown): CodedError {
  return badFile(path, `needs ${(bytes / 2 ** 30).toFixed(1)} GB of memory at once; crop or downsample it.`, cause)
}

export function cancelled(path: string): CodedError {
  return readError(abortError(), path)
}

/** The voxels ended before there were as many as the header says. */
export function endedEarly({ path, dims, voxelType }: VoxelLayout): CodedError {
  return badFile(
    path,
    `is cut off (it should hold ${dims.join(' x ')} voxels of ${voxelType}); copy or download it again.`,
  )
}
