import type { Axis } from '../../core/contract/schemas.ts'
import type { VoxelArray } from '../types.ts'
import { viewAs } from './arrays.ts'
import { cancelled, voxelBytes, voxelMemory, type VoxelLayout } from './layout.ts'
import type { StoreOptions } from './store.ts'

type Read = (at: number, count: number, options: StoreOptions) => Promise<VoxelArray>

/** Neighbouring slices across one of the first two axes. */
interface Block {
  readonly axis: 0 | 1
  readonly first: number
  readonly slices: readonly VoxelArray[]
}

/** Blocks kept: the current one and the one before, for going back and forth over the border between them. */
const KEPT = 2
/** Bytes read at once. */
const STRETCH = 8 * 2 ** 20

/**
 * Slices across the first two axes of voxels in a file. Each lies scattered over the whole file, so the file is read through
 * once for a whole block of neighbours, and the next slices are then at hand.
 */
export class SliceBlocks {
  readonly #layout: VoxelLayout
  readonly #read: Read
  #blocks: Block[] = []
  /** One pass at a time: two would only take the disk from each other. */
  #last: Promise<unknown> = Promise.resolve()
  #closed = false

  constructor(layout: VoxelLayout, read: Read) {
    this.#layout = layout
    this.#read = read
  }

  get heldBytes(): number {
    return this.#blocks.reduce((sum, { slices }) => sum + slices.reduce((part, slice) => part + slice.byteLength, 0), 0)
  }

  clear(): void {
    this.#closed = true
    this.#blocks = []
  }

  async slice(axis: 0 | 1, index: number, options: StoreOptions): Promise<VoxelArray> {
    const found = this.#find(axis, index)
    if (found !== null) return found.slice()
    const pass = this.#last.then(async () => {
      const meanwhile = this.#find(axis, index)
      if (meanwhile !== null) return meanwhile
      if (options.signal?.aborted || this.#closed) throw cancelled(this.#layout.path)
      return this.#gather(axis, index, options)
    })
    this.#last = pass.catch(() => undefined)
    return (await pass).slice()
  }

  #find(axis: Axis, index: number): VoxelArray | null {
    const block = this.#blocks.find(
      ({ axis: other, first, slices }) => other === axis && index >= first && index < first + slices.length,
    )
    return block?.slices[index - block.first] ?? null
  }

  async #gather(axis: 0 | 1, index: number, options: StoreOptions): Promise<VoxelArray> {
    const { dims, channels, voxelType } = this.#layout
    const [nx, ny, nz] = dims
    const perSlice = (axis === 0 ? ny : nx) * nz * channels
    const room = Math.min(128 * 2 ** 20, voxelMemory() / 8) / KEPT
    const width = Math.max(
      1,
      Math.min(dims[axis], Math.floor(room / (perSlice * (voxelBytes(this.#layout) / channels)))),
    )
    const first = Math.floor(index / width) * width
    const slices = Array.from({ length: Math.min(width, dims[axis] - first) }, () => zeros(voxelType, perSlice))
    // Room first: while the new block is made there is at most one other.
    this.#blocks = this.#blocks.slice(0, KEPT - 1)
    if (axis === 0) await this.#columns(first, slices, options)
    else await this.#rows(first, slices, options)
    if (!this.#closed) this.#blocks.unshift({ axis, first, slices })
    const wanted = slices[index - first]
    if (wanted === undefined)
      throw new RangeError(`no slice ${index} across axis ${axis} of ${dims.join(' x ')} voxels`)
    return wanted
  }

  /** Across x: everything is read, some planes at a time, and a few voxels of each row are kept. */
  async #columns(first: number, slices: readonly VoxelArray[], options: StoreOptions): Promise<void> {
    const { dims, channels } = this.#layout
    const [nx, ny, nz] = dims
    const rows = Math.max(1, Math.floor(STRETCH / (nx * voxelBytes(this.#layout))))
    for (let row = 0; row < ny * nz; row += rows) {
      const count = Math.min(rows, ny * nz - row)
      const samples = await this.#read(row * nx, count * nx, options)
      slices.forEach((slice, i) => {
        let to = row * channels
        for (let r = 0; r < count; r++) {
          const from = (r * nx + first + i) * channels
          for (let c = 0; c < channels; c++) slice[to++] = samples[from + c] ?? 0
        }
      })
    }
  }

  /** Across y: the rows of the block lie together in each plane. */
  async #rows(first: number, slices: readonly VoxelArray[], options: StoreOptions): Promise<void> {
    const { dims, channels } = this.#layout
    const [nx, ny, nz] = dims
    const row = nx * channels
    for (let z = 0; z < nz; z++) {
      const samples = await this.#read((z * ny + first) * nx, slices.length * nx, options)
      slices.forEach((slice, i) => {
        slice.set(samples.subarray(i * row, (i + 1) * row), z * row)
      })
    }
  }
}

function zeros(type: VoxelLayout['voxelType'], length: number): VoxelArray {
  const sample = viewAs(type, new ArrayBuffer(0)).BYTES_PER_ELEMENT
  return viewAs(type, new ArrayBuffer(length * sample))
}
