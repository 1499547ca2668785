import type { Dims } from '../../core/contract/schemas.ts'
import type { SliceGrid } from '../data/planes.ts'

/** Takes the slices of a plane in order, and puts what is known of their pixels where the voxels are. */
export interface SliceScatter {
  /** Values of slice `index`: planes x height x width. */
  add(index: number, values: Float32Array): void
}

/** Adds to `sums`, planes x voxels, `weight` times each voxel's value. */
export function createScatter(
  dims: Dims,
  grid: SliceGrid,
  planes: number,
  sums: Float32Array,
  weight: number,
): SliceScatter {
  return grid.axis === null
    ? obliqueScatter(dims, grid, planes, sums, weight)
    : {
        add(index, values) {
          const pixels = grid.width * grid.height
          const voxels = dims[0] * dims[1] * dims[2]
          eachVoxel(dims, grid, index, (pixel, voxel) => {
            for (let c = 0; c < planes; c++) {
              sums[c * voxels + voxel] = (sums[c * voxels + voxel] ?? 0) + weight * (values[c * pixels + pixel] ?? 0)
            }
          })
        },
      }
}

/** Each pixel of a slice whose pixels are voxels, with its voxel, x fastest. */
export function eachVoxel(
  [nx, ny]: Dims,
  { width, height, origin, column, row, next }: SliceGrid,
  index: number,
  visit: (pixel: number, voxel: number) => void,
): void {
  const place = (at: readonly [number, number, number]): number => at[0] + nx * (at[1] + ny * at[2])
  const [start, alongX, alongY] = [place(origin) + index * place(next), place(column), place(row)]
  for (let j = 0, pixel = 0; j < height; j++) {
    let voxel = start + j * alongY
    for (let i = 0; i < width; i++, pixel++, voxel += alongX) visit(pixel, voxel)
  }
}

/**
 * Of turned slices: each voxel lies between two rows of two slices, and takes its value linearly from these four. Columns run
 * along a voxel axis, so that one place serves a whole line of voxels.
 */
function obliqueScatter(dims: Dims, grid: SliceGrid, planes: number, sums: Float32Array, weight: number): SliceScatter {
  const { width, height, slices, origin, column, row, next } = grid
  const [columnAxis = 0] = [0, 1, 2].filter((axis) => column[axis as 0 | 1 | 2] !== 0)
  const [first = 1, second = 2] = [0, 1, 2].filter((axis) => axis !== columnAxis)
  const strides = [1, dims[0], dims[0] * dims[1]] as const
  const [a, b] = [first as 0 | 1 | 2, second as 0 | 1 | 2]
  const [strideA, strideB, strideC] = [strides[a], strides[b], strides[columnAxis as 0 | 1 | 2]]
  const flipped = column[columnAxis as 0 | 1 | 2] < 0
  const determinant = row[a] * next[b] - row[b] * next[a]
  // By the lower of the two slices that it lies between: where its line of voxels begins, and its place there.
  const lines: { voxel: number; j: number; k: number }[][] = Array.from({ length: slices }, () => [])
  for (let q = 0; q < dims[b]; q++) {
    for (let p = 0; p < dims[a]; p++) {
      const [da, db] = [p - origin[a], q - origin[b]]
      const j = (da * next[b] - db * next[a]) / determinant
      const k = (row[a] * db - row[b] * da) / determinant
      const below = Math.min(Math.max(Math.floor(k), 0), Math.max(0, slices - 2))
      lines[below]?.push({ voxel: p * strideA + q * strideB, j: Math.min(Math.max(j, 0), height - 1), k: k - below })
    }
  }
  const voxels = dims[0] * dims[1] * dims[2]
  const pixels = width * height
  return {
    add(index, values) {
      for (const lower of [index, index - 1]) {
        for (const { voxel, j, k } of lines[lower] ?? []) {
          const inside = Math.min(Math.max(k, 0), 1)
          const ofSlice = weight * (lower === index ? 1 - inside : inside)
          if (ofSlice === 0) continue
          const above = Math.min(Math.floor(j), Math.max(0, height - 2))
          const share = j - above
          const rowBelow = share > 0 ? width : 0
          for (let c = 0; c < planes; c++) {
            let from = c * pixels + above * width
            let to = c * voxels + voxel + (flipped ? (width - 1) * strideC : 0)
            for (let i = 0; i < width; i++, from++, to += flipped ? -strideC : strideC) {
              const value = (1 - share) * (values[from] ?? 0) + share * (values[from + rowBelow] ?? 0)
              sums[to] = (sums[to] ?? 0) + ofSlice * value
            }
          }
        }
      }
    },
  }
}
