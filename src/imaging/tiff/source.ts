import { open, type FileHandle } from 'node:fs/promises'
import { badFile, fill, fileSize, readError } from '../files.ts'

/** Small, as directories can lie anywhere between the samples. */
const BLOCK = 2 ** 13
const KEPT_BLOCKS = 128

/** A file that is read here and there. Small pieces come through a bounded cache; nothing else of it is held. */
export class FileSource {
  readonly path: string
  readonly size: number
  readonly #handle: FileHandle
  readonly #blocks = new Map<number, Uint8Array<ArrayBuffer>>()

  private constructor(path: string, size: number, handle: FileHandle) {
    this.path = path
    this.size = size
    this.#handle = handle
  }

  /** Throws a CodedError where the file is missing, empty or may not be read. */
  static async open(path: string): Promise<FileSource> {
    const size = await fileSize(path)
    try {
      return new FileSource(path, size, await open(path, 'r'))
    } catch (error) {
      throw readError(error, path)
    }
  }

  /** Exactly `length` bytes from `offset`. Throws CodedError('bad-file') where the file ends before. */
  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    if (!this.has(offset, length)) throw this.cutOff()
    const bytes = new Uint8Array(length)
    const read = await fill(this.#handle, bytes, offset)
    if (read < length) throw this.cutOff()
    return bytes
  }

  /** Like `read`, for directories and their values; the bytes are not to be written to. */
  async peek(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    if (length > BLOCK) return this.read(offset, length)
    if (!this.has(offset, length)) throw this.cutOff()
    const first = Math.floor(offset / BLOCK)
    const start = offset - first * BLOCK
    const block = this.#blocks.get(first) ?? (await this.#load(first))
    if (start + length <= block.length) return block.subarray(start, start + length)
    const next = this.#blocks.get(first + 1) ?? (await this.#load(first + 1))
    const both = new Uint8Array(length)
    both.set(block.subarray(start))
    both.set(next.subarray(0, length - (block.length - start)), block.length - start)
    return both
  }

  has(offset: number, length: number): boolean {
    return Number.isSafeInteger(offset) && offset >= 0 && length >= 0 && offset + length <= this.size
  }

  cutOff(): Error {
    return badFile(this.path, 'is cut off; copy or download it again.')
  }

  async #load(index: number): Promise<Uint8Array<ArrayBuffer>> {
    const block = await this.read(index * BLOCK, Math.min(BLOCK, this.size - index * BLOCK))
    if (this.#blocks.size >= KEPT_BLOCKS) {
      const oldest = this.#blocks.keys().next()
      if (!oldest.done) this.#blocks.delete(oldest.value)
    }
    this.#blocks.set(index, block)
    return block
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}
