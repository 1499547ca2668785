import type { Affine } from '../../core/contract/schemas.ts'
import { CodedError } from '../../core/contract/errors.ts'
import { Digest } from '../convert/digest.ts'
import { expectImage } from '../convert/verify.ts'
import { Mismatch } from '../mismatch.ts'
import type { ImageVolume, VoxelArray } from '../types.ts'

export interface ImageFileOptions {
  /** Of the file; undefined where its format has none. */
  readonly affine?: Affine | null | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Writes the image that goes with a mask, from its samples piece by piece, and reads it back. Throws a `Mismatch` where the
 * file does not hold what the image does, and what `write` throws.
 */
export async function writeImageFile(
  path: string,
  { dims, channels, voxels, voxelType, slope, inter }: ImageVolume,
  { affine, signal }: ImageFileOptions,
  write: (pieces: AsyncIterable<VoxelArray>) => Promise<unknown>,
): Promise<void> {
  const digest = new Digest(channels)
  async function* pieces(): AsyncGenerator<VoxelArray> {
    for await (const piece of voxels.pieces({ signal })) {
      digest.add(piece)
      yield piece
    }
  }
  await write(pieces())
  try {
    const passed = (): void => undefined
    await expectImage(path, {
      ...{ dims, frames: 1, digest, held: voxelType, scaling: { slope, inter }, affine, signal, passed },
    })
  } catch (error) {
    if (!(error instanceof CodedError && error.code === 'bad-file')) throw error
    throw new Mismatch('the image could not be read again', error)
  }
}
