import type { GridDims } from './grid.ts'
import { neighboursOf } from './neighbours.ts'

export interface PeakRules {
  /** Two hills are two where the pass between them is lower than this share of the lower hill. */
  readonly pass: number
  /** And lower by at least so much. */
  readonly depth: number
  /** And the lower hill has at least so many voxels above the pass. */
  readonly smallest: number
}

export interface Seeds {
  /** The top of each hill, numbered from 1 on, the highest first; 0 elsewhere. */
  readonly markers: Uint32Array<ArrayBuffer>
  readonly count: number
}

/**
 * The hills of a landscape, each by one voxel at its top. Voxels come one by one, the highest first, and join the hills they
 * touch; where two hills meet, the lower one is part of the higher unless the rules say that it stands for itself.
 *
 * @param height Above 0 where hills are, 0 elsewhere.
 */
export function hillTops(height: Float32Array, dims: GridDims, { pass, depth, smallest }: PeakRules): Seeds {
  const order = highestFirst(height)
  const neighbours = neighboursOf(dims, 'all')
  // A forest of hills: numbers from 1 on, in the order of their tops.
  const hillOf = new Uint32Array(height.length)
  const parent = [0]
  const top = [0]
  const voxels = [0]
  const apart = [false]
  const rootOf = (hill: number): number => {
    let root = hill
    while (parent[root] !== root) root = parent[root] ?? root
    for (let at = hill; at !== root;) {
      const next = parent[at] ?? root
      parent[at] = root
      at = next
    }
    return root
  }
  for (const voxel of order) {
    const level = height[voxel] ?? 0
    let mine = 0
    neighbours(voxel, (other) => {
      const hill = hillOf[other] ?? 0
      if (hill === 0) return
      const root = rootOf(hill)
      if (mine === 0 || root === mine) {
        mine = root
        return
      }
      // Roots are numbered by height.
      const [higher, lower] = root < mine ? [root, mine] : [mine, root]
      const peak = height[top[lower] ?? 0] ?? 0
      const stands =
        apart[lower] === true || (level < pass * peak && peak - level >= depth && (voxels[lower] ?? 0) >= smallest)
      if (stands) {
        apart[lower] = true
      } else {
        parent[lower] = higher
        voxels[higher] = (voxels[higher] ?? 0) + (voxels[lower] ?? 0)
      }
      mine = higher
    })
    if (mine === 0) {
      mine = parent.length
      parent.push(mine)
      top.push(voxel)
      voxels.push(0)
      apart.push(false)
    }
    hillOf[voxel] = mine
    voxels[mine] = (voxels[mine] ?? 0) + 1
  }
  const markers = new Uint32Array(height.length)
  let count = 0
  for (let hill = 1; hill < parent.length; hill++) {
    if (parent[hill] !== hill) continue
    markers[top[hill] ?? 0] = ++count
  }
  return { markers, count }
}

/** Voxels above 0, the highest first, equally high ones in their order: a radix sort over the bits, which rise with the value. */
function highestFirst(height: Float32Array): Uint32Array {
  const keys = new Uint32Array(height.slice().buffer)
  let order = Uint32Array.from(indicesAbove(height))
  for (const shift of [0, 16]) {
    const starts = new Uint32Array(65_537)
    const digit = (voxel: number): number => 65_535 - (((keys[voxel] ?? 0) >>> shift) & 65_535)
    for (const voxel of order) starts[digit(voxel) + 1] = (starts[digit(voxel) + 1] ?? 0) + 1
    for (let i = 1; i < starts.length; i++) starts[i] = (starts[i] ?? 0) + (starts[i - 1] ?? 0)
    const sorted = new Uint32Array(order.length)
    for (const voxel of order) {
      const at = starts[digit(voxel)] ?? 0
      sorted[at] = voxel
      starts[digit(voxel)] = at + 1
    }
    order = sorted
  }
  return order
}

function indicesAbove(height: Float32Array): Uint32Array {
  let count = 0
  for (const value of height) if (value > 0) count++
  const indices = new Uint32Array(count)
  for (let i = 0, to = 0; i < height.length; i++) if ((height[i] ?? 0) > 0) indices[to++] = i
  return indices
}
