import { extentsOf, type GridDims, type GridSpacing } from './grid.ts'

/**
 * Exact Euclidean distances on a grid, two- or three-dimensional, with the spacing of its axes.
 *
 * P. F. Felzenszwalb, D. P. Huttenlocher: Distance Transforms of Sampled Functions, Theory of Computing 8 (2012), 415-428:
 * along each axis in turn, the lower envelope of the parabolas that the axis before has left, in time linear in the voxels.
 * Squared distances are whole numbers, and exact, where the spacing is 1.
 */

/** Values that count as true where they are not 0: a mask, a label map, numbers of objects. */
type Flags = ArrayLike<number>

/**
 * From the centre of each voxel to the centre of the nearest one that is not 0, squared; 0 on those themselves, Infinity
 * everywhere where there is none.
 *
 * @param dims `[x, y]` or `[x, y, z]`, x the fastest; an axis of one voxel costs nothing.
 * @param spacing Of the axes, 1 each where it is not given; the result is in its unit, squared.
 */
export function squaredDistances(targets: Flags, dims: GridDims, spacing: GridSpacing = []): Float64Array {
  const extents = extentsOf(dims, targets.length)
  const [nx, ny, nz] = extents
  const field = new Float64Array(targets.length)
  alongRows(targets, field, nx, spacing[0] ?? 1)
  alongAxis(field, ny, nx, nx, nx * ny, nz, spacing[1] ?? 1)
  alongAxis(field, nz, nx * ny, nx * ny, 0, 1, spacing[2] ?? 1)
  return field
}

/** As `squaredDistances`, with the roots drawn. */
export function distancesTo(targets: Flags, dims: GridDims, spacing: GridSpacing = []): Float64Array {
  return rooted(squaredDistances(targets, dims, spacing))
}

/**
 * The distance transform: from each voxel that is not 0 to the nearest one that is 0, and 0 on those. What lies beyond the
 * edges of the grid is not background. (`scipy.ndimage.distance_transform_edt`)
 */
export function distanceTransform(mask: Flags, dims: GridDims, spacing: GridSpacing = []): Float64Array {
  const outside = new Uint8Array(mask.length)
  for (let i = 0; i < outside.length; i++) outside[i] = mask[i] === 0 ? 1 : 0
  return distancesTo(outside, dims, spacing)
}

function rooted(field: Float64Array): Float64Array {
  for (let i = 0; i < field.length; i++) field[i] = Math.sqrt(field[i] ?? 0)
  return field
}

/** Squared distances along x: twice over each row, counting from the last target. */
function alongRows(targets: Flags, field: Float64Array, nx: number, step: number): void {
  for (let row = 0; row < field.length; row += nx) {
    let away = Infinity
    for (let x = 0; x < nx; x++) {
      away = targets[row + x] === 0 ? away + 1 : 0
      field[row + x] = away
    }
    away = Infinity
    for (let x = nx - 1; x >= 0; x--) {
      away = Math.min(away + 1, field[row + x] ?? 0)
      const distance = away * step
      field[row + x] = distance * distance
    }
  }
}

/**
 * Adds an axis of `length` voxels, `stride` apart: `across` lines that begin next to each other, in `blocks` blocks that
 * are `block` apart.
 */
function alongAxis(
  field: Float64Array,
  length: number,
  stride: number,
  across: number,
  block: number,
  blocks: number,
  step: number,
): void {
  if (length < 2) return
  const line = new Float64Array(length)
  // The parabolas of the lower envelope: where each has its vertex, and from where on it is the lowest.
  const vertex = new Int32Array(length)
  const from = new Float64Array(length)
  const square = step * step
  for (let b = 0; b < blocks; b++) {
    for (let a = 0; a < across; a++) {
      const start = b * block + a
      let last = -1
      for (let i = 0; i < length; i++) {
        const value = field[start + i * stride] ?? 0
        line[i] = value
        if (value === Infinity) continue
        let cut = -Infinity
        while (last >= 0) {
          const v = vertex[last] ?? 0
          cut = ((value - (line[v] ?? 0)) / square + i * i - v * v) / (2 * (i - v))
          if (cut > (from[last] ?? 0)) break
          last -= 1
          cut = -Infinity
        }
        last += 1
        vertex[last] = i
        from[last] = cut
      }
      if (last < 0) continue
      let at = 0
      for (let i = 0; i < length; i++) {
        while (at < last && (from[at + 1] ?? 0) < i) at += 1
        const v = vertex[at] ?? 0
        field[start + i * stride] = (line[v] ?? 0) + square * (i - v) * (i - v)
      }
    }
  }
}
