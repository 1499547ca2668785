import { createReadStream, createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import type { ImageSelection } from '../../core/contract/schemas.ts'
import { readError, systemCode, writeError } from '../files.ts'
import { temporaryBeside, temporaryDone } from '../leftovers.ts'
import { readImage } from '../registry.ts'
import type { ImageVolume } from '../types.ts'

/** The frames of an image, one after the other, the first of which is open already. Each is to be closed. */
export class Frames {
  readonly first: ImageVolume
  readonly count: number
  /** What was said of the frames that have been read. */
  readonly warnings = new Set<string>()
  readonly #path: string
  readonly #selection: ImageSelection
  #unpacked: string | null = null

  constructor(first: ImageVolume, path: string, selection: ImageSelection, count: number) {
    this.first = first
    this.#path = path
    this.#selection = selection
    this.count = count
  }

  async open(index: number, signal: AbortSignal | undefined): Promise<ImageVolume> {
    return readImage(this.#unpacked ?? this.#path, { selection: { ...this.#selection, frame: index }, signal })
  }

  /**
   * Frames of a packed file lie behind each other in one stream, so each would be unpacked up to its place: unpacks the whole file
   * once, beside the output, where there is to be room for it anyway. Only for single NIfTI files; others have few frames.
   */
  async prepare(output: string, signal: AbortSignal | undefined): Promise<void> {
    const { info, source } = this.first
    if (this.count < 3 || !info.compressed || source.kind !== 'nifti' || !/\.nii(\.gz)?$/i.test(source.path)) return
    const path = temporaryBeside(output, '.nii')
    this.#unpacked = path
    try {
      await pipeline(createReadStream(source.path), createGunzip(), createWriteStream(path), signal ? { signal } : {})
    } catch (error) {
      throw systemCode(error).startsWith('Z_') ? readError(error, source.path) : writeError(error, output)
    }
  }

  async close(): Promise<void> {
    await this.first.voxels.close()
    if (this.#unpacked === null) return
    await rm(this.#unpacked, { force: true })
    temporaryDone(this.#unpacked)
  }
}
