import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ImageSelection } from '../../../core/contract/schemas.ts'
import { CodedError } from '../../../core/contract/errors.ts'
import { readImage } from '../../registry.ts'
import { temporaryFolder } from '../../testing/folders.ts'
import type { ImageVolume } from '../../types.ts'
import { dicomBytes, sliceElements, type TestSlice } from './dicomFile.ts'

/** A new folder for DICOM files. */
export interface TestFolder {
  readonly path: string
  readonly at: (...parts: string[]) => string
  readonly remove: () => Promise<void>
  /** Gives the path. */
  readonly write: (name: string, bytes: Uint8Array) => Promise<string>
  readonly writeSlices: (slices: readonly TestSlice[], name?: (i: number) => string) => Promise<void>
}

export async function testFolder(): Promise<TestFolder> {
  const { path, remove } = await temporaryFolder()
  const write = async (name: string, bytes: Uint8Array): Promise<string> => {
    await writeFile(join(path, name), bytes)
    return join(path, name)
  }
  const writeSlices: TestFolder['writeSlices'] = async (slices, name = (i) => `${i}.dcm`) => {
    for (const [i, slice] of slices.entries()) await write(name(i), dicomBytes(sliceElements(slice)))
  }
  return { path, remove, write, writeSlices, at: (...parts) => join(path, ...parts) }
}

/** An image with its voxels, closed. */
export async function openAll(path: string, selection?: ImageSelection): Promise<ImageVolume & { data: number[] }> {
  const image = await readImage(path, { selection })
  try {
    return { ...image, channels: image.voxels.channels, data: [...(await image.voxels.all())] }
  } finally {
    await image.voxels.close()
  }
}

/** The sentence with which an image is refused. Throws where it is not, or not because of the file. */
export async function refusal(path: string, selection?: ImageSelection): Promise<string> {
  try {
    await openAll(path, selection)
  } catch (error) {
    if (error instanceof CodedError && error.code === 'bad-file') return error.message
    throw error
  }
  throw new Error('was not refused')
}

/** Six values that tell which slice they are of. */
export const six = (k: number): number[] => Array.from({ length: 6 }, (_, i) => 10 * k + i)
