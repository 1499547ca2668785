import type { GridDims } from './grid.ts'
import { neighboursOf } from './neighbours.ts'

/**
 * Watershed from markers (F. Meyer's flooding; `skimage.segmentation.watershed` without lines): floods `landscape` from the
 * markers, lowest voxel first, of equally low ones the one that was reached first, and gives each voxel of the mask the
 * number of the marker whose water came first. Voxels of the mask that no marker reaches stay 0.
 *
 * @param landscape A height a voxel, x fastest; numbers, not NaN.
 * @param markers Numbers from 1 on, 0 where none is.
 * @param mask 0 where no water goes.
 * @param connectivity `faces`: 4 neighbours in a picture, 6 in a volume; `all`: 8 and 26.
 */
export function watershed(
  landscape: Float32Array,
  markers: Uint32Array,
  mask: Uint8Array,
  dims: GridDims,
  connectivity: 'faces' | 'all' = 'faces',
): Uint32Array<ArrayBuffer> {
  const ids = new Uint32Array(landscape.length)
  const neighbours = neighboursOf(dims, connectivity)
  const queue = new Queue(landscape)
  markers.forEach((id, voxel) => {
    if (id === 0 || mask[voxel] === 0) return
    ids[voxel] = id
    queue.push(voxel)
  })
  for (let voxel = queue.pop(); voxel >= 0; voxel = queue.pop()) {
    const id = ids[voxel] ?? 0
    neighbours(voxel, (other) => {
      if (ids[other] !== 0 || mask[other] === 0) return
      ids[other] = id
      queue.push(other)
    })
  }
  return ids
}

/** Voxels by height, then by the order in which they came: a binary heap. */
class Queue {
  readonly #height: Float32Array
  #voxels = new Uint32Array(1024)
  #ages = new Uint32Array(1024)
  #count = 0
  #age = 0

  constructor(height: Float32Array) {
    this.#height = height
  }

  push(voxel: number): void {
    if (this.#count === this.#voxels.length) {
      this.#voxels = wider(this.#voxels)
      this.#ages = wider(this.#ages)
    }
    const age = this.#age++
    let at = this.#count++
    while (at > 0) {
      const up = (at - 1) >> 1
      if (!this.#before(voxel, age, this.#voxels[up] ?? 0, this.#ages[up] ?? 0)) break
      this.#voxels[at] = this.#voxels[up] ?? 0
      this.#ages[at] = this.#ages[up] ?? 0
      at = up
    }
    this.#voxels[at] = voxel
    this.#ages[at] = age
  }

  /** -1 where nothing is left. */
  pop(): number {
    if (this.#count === 0) return -1
    const first = this.#voxels[0] ?? 0
    this.#count--
    const voxel = this.#voxels[this.#count] ?? 0
    const age = this.#ages[this.#count] ?? 0
    let at = 0
    for (;;) {
      let down = 2 * at + 1
      if (down >= this.#count) break
      const other = down + 1
      if (
        other < this.#count &&
        this.#before(this.#voxels[other] ?? 0, this.#ages[other] ?? 0, this.#voxels[down] ?? 0, this.#ages[down] ?? 0)
      ) {
        down = other
      }
      if (!this.#before(this.#voxels[down] ?? 0, this.#ages[down] ?? 0, voxel, age)) break
      this.#voxels[at] = this.#voxels[down] ?? 0
      this.#ages[at] = this.#ages[down] ?? 0
      at = down
    }
    this.#voxels[at] = voxel
    this.#ages[at] = age
    return first
  }

  #before(voxel: number, age: number, other: number, otherAge: number): boolean {
    const [a, b] = [this.#height[voxel] ?? 0, this.#height[other] ?? 0]
    return a < b || (a === b && age < otherAge)
  }
}

function wider(old: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const made = new Uint32Array(2 * old.length)
  made.set(old)
  return made
}
