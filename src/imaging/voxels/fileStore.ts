import type { FileHandle } from 'node:fs/promises'
import { totalmem } from 'node:os'
import type { Axis, Dims, VoxelType } from '../../core/contract/schemas.ts'
import { fill, readError } from '../files.ts'
import type { VoxelArray } from '../types.ts'
import { viewAs } from './arrays.ts'
import type { Arrival } from './arrival.ts'
import { SliceBlocks } from './blocks.ts'
import {
  allocate,
  cancelled,
  endedEarly,
  rawBytesOf,
  tooLarge,
  voxelBytes,
  voxelCount,
  type VoxelLayout,
} from './layout.ts'
import { PIECE } from './memoryStore.ts'
import type { StoreOptions, VoxelStore } from './store.ts'

/** An open file with the voxels from a byte on: the image itself, or a scratch file. */
export interface Backing {
  readonly handle: FileHandle
  readonly offset: number
  /** Null where all voxels are there. */
  readonly arrival: Arrival | null
  /** Ends what writes to the file, and closes it. */
  close(): Promise<void>
}

/** Voxels that stay in a file and are read when they are wanted. */
export class FileStore implements VoxelStore {
  readonly dims: Dims
  readonly channels: 1 | 3
  readonly voxelType: VoxelType
  readonly byteLength: number
  readonly #layout: VoxelLayout
  readonly #backing: Backing
  readonly #blocks: SliceBlocks
  #closing: Promise<void> | null = null

  constructor(layout: VoxelLayout, backing: Backing) {
    this.dims = layout.dims
    this.channels = layout.channels
    this.voxelType = layout.voxelType
    this.byteLength = voxelCount(layout) * voxelBytes(layout)
    this.#layout = layout
    this.#backing = backing
    this.#blocks = new SliceBlocks(layout, (at, count, options) => this.#read(at, count, options))
  }

  get heldBytes(): number {
    return this.#blocks.heldBytes
  }

  async complete(options?: StoreOptions): Promise<void> {
    if (this.#closing !== null) throw cancelled(this.#layout.path)
    await this.#backing.arrival?.complete(options)
  }

  async slice(axis: Axis, index: number, options: StoreOptions = {}): Promise<VoxelArray> {
    const [nx, ny] = this.dims
    return axis === 2 ? this.#read(index * nx * ny, nx * ny, options) : this.#blocks.slice(axis, index, options)
  }

  async *pieces(options: StoreOptions = {}): AsyncIterable<VoxelArray> {
    const total = voxelCount(this.#layout)
    for (let at = 0; at < total; at += PIECE) yield await this.#read(at, Math.min(PIECE, total - at), options)
    await this.complete(options)
  }

  async all(options: StoreOptions = {}): Promise<VoxelArray> {
    // A copy: not more than the computer has to spare.
    if (this.byteLength > totalmem() / 2) throw tooLarge(this.byteLength, this.#layout.path)
    const buffer = allocate(this.byteLength, this.#layout.path)
    const all = viewAs(this.voxelType, buffer)
    let at = 0
    for await (const piece of this.pieces(options)) {
      all.set(piece, at)
      at += piece.length
    }
    return all
  }

  close(): Promise<void> {
    this.#blocks.clear()
    return (this.#closing ??= this.#backing.close())
  }

  #isClosing(): boolean {
    return this.#closing !== null
  }

  async #read(at: number, count: number, { signal }: StoreOptions): Promise<VoxelArray> {
    const { path, convert } = this.#layout
    const { handle, offset, arrival } = this.#backing
    if (this.#closing !== null || signal?.aborted) throw cancelled(path)
    await arrival?.until(at + count, { signal })
    const raw = rawBytesOf(this.#layout)
    const bytes = new Uint8Array(count * raw)
    try {
      if ((await fill(handle, bytes, offset + at * raw, signal)) < bytes.length) throw endedEarly(this.#layout)
    } catch (error) {
      // A file that was closed meanwhile is no damaged one.
      throw signal?.aborted || this.#isClosing() ? cancelled(path) : readError(error, path)
    }
    if (convert === undefined) return viewAs(this.voxelType, bytes.buffer)
    const out = new Uint8Array(count * voxelBytes(this.#layout))
    convert(bytes, out)
    return viewAs(this.voxelType, out.buffer)
  }
}
