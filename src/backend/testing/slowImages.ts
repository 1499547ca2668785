import { CodedError } from '../../core/contract/errors.ts'
import type { Axis } from '../../core/contract/schemas.ts'
import { readImage, type ImageVolume, type VoxelArray, type VoxelStore } from '../../imaging/index.ts'

type StoreOptions = Parameters<VoxelStore['complete']>[0]

/** Opens images as always, but their voxels arrive slice by slice along z, when the test says so. */
export class SlowImages {
  /** All that were opened, in order. */
  readonly opened: SlowStore[] = []
  /** Slices of the next ones that are there at once. */
  there = 0

  readonly readImage: typeof readImage = async (path, options) => {
    const volume = await readImage(path, options)
    const store = new SlowStore(volume, this.there)
    this.opened.push(store)
    return { ...volume, voxels: store }
  }
}

export class SlowStore implements VoxelStore {
  readonly dims
  readonly channels
  readonly voxelType
  readonly byteLength
  readonly heldBytes
  closed = false
  /** Calls that have not been answered. */
  waiting = 0
  readonly #inner: VoxelStore
  #there: number
  #damage: CodedError | null = null
  #wake: (() => void)[] = []

  constructor({ voxels }: ImageVolume, there: number) {
    this.dims = voxels.dims
    this.channels = voxels.channels
    this.voxelType = voxels.voxelType
    this.byteLength = voxels.byteLength
    this.heldBytes = voxels.byteLength
    this.#inner = voxels
    this.#there = there
  }

  /** From now on so many slices across z are there. */
  arrive(slices: number): void {
    this.#there = slices
    for (const wake of this.#wake.splice(0)) wake()
  }

  /** What is not there yet will never be. */
  fail(error: CodedError): void {
    this.#damage = error
    for (const wake of this.#wake.splice(0)) wake()
  }

  complete(options?: StoreOptions): Promise<void> {
    return this.#until(this.dims[2], options)
  }

  async slice(axis: Axis, index: number, options?: StoreOptions): Promise<VoxelArray> {
    await this.#until(axis === 2 ? index + 1 : this.dims[2], options)
    return this.#inner.slice(axis, index)
  }

  async *pieces(options?: StoreOptions): AsyncIterable<VoxelArray> {
    for (let z = 0; z < this.dims[2]; z++) {
      await this.#until(z + 1, options)
      yield await this.#inner.slice(2, z)
    }
  }

  async all(options?: StoreOptions): Promise<VoxelArray> {
    await this.complete(options)
    return this.#inner.all()
  }

  async close(): Promise<void> {
    if (this.waiting > 0) throw new Error('closed while it is read')
    this.closed = true
    await this.#inner.close()
  }

  async #until(slices: number, options: StoreOptions): Promise<void> {
    this.waiting++
    try {
      while (this.#there < slices) {
        if (this.closed) throw new Error('read after it was closed')
        if (this.#damage !== null) throw this.#damage
        if (options?.signal?.aborted === true) throw new CodedError('cancelled', 'cancelled')
        await new Promise<void>((resolve) => {
          this.#wake.push(resolve)
          options?.signal?.addEventListener('abort', () => resolve(), { once: true })
        })
      }
      if (this.closed) throw new Error('read after it was closed')
    } finally {
      this.waiting--
    }
  }
}
