import { extentsOf, type GridDims } from './grid.ts'

/** A rectangle or cuboid of voxels, both ends included; empty where `first` is past `last`. */
export interface VoxelBounds {
  readonly first: readonly [number, number, number]
  readonly last: readonly [number, number, number]
}

/** The smallest cuboid around the voxels that are true for `wanted`; null where there are none. */
export function voxelBounds(
  values: ArrayLike<number>,
  dims: GridDims,
  wanted: (value: number) => boolean,
): VoxelBounds | null {
  const [nx, ny, nz] = extentsOf(dims, values.length)
  const first: [number, number, number] = [nx, ny, nz]
  const last: [number, number, number] = [-1, -1, -1]
  for (let row = 0; row < ny * nz; row++) {
    const start = row * nx
    let left = 0
    while (left < nx && !wanted(values[start + left] ?? 0)) left++
    if (left === nx) continue
    let right = nx - 1
    while (!wanted(values[start + right] ?? 0)) right--
    const y = row % ny
    const z = (row - y) / ny
    for (const [axis, low, high] of [
      [0, left, right],
      [1, y, y],
      [2, z, z],
    ] as const) {
      first[axis] = Math.min(first[axis], low)
      last[axis] = Math.max(last[axis], high)
    }
  }
  return last[0] < 0 ? null : { first, last }
}

/**
 * The voxels of a mask with a neighbour by a face that is none of it, be it beyond the grid: the mask less its erosion by
 * a cross (medpy, MONAI: `mask ^ binary_erosion(mask)`). A grid of one slice is a picture, and counts edges instead.
 *
 * @returns 1 on the surface, 0 elsewhere.
 */
export function surfaceOf(mask: Uint8Array, dims: GridDims): Uint8Array {
  const [nx, ny, nz] = extentsOf(dims, mask.length)
  const surface = new Uint8Array(mask.length)
  for (let z = 0, i = 0; z < nz; z++) {
    const edgeZ = nz > 1 && (z === 0 || z === nz - 1)
    for (let y = 0; y < ny; y++) {
      const edgeY = edgeZ || y === 0 || y === ny - 1
      for (let x = 0; x < nx; x++, i++) {
        if (mask[i] === 0) continue
        const inside =
          !(edgeY || x === 0 || x === nx - 1) &&
          mask[i - 1] !== 0 &&
          mask[i + 1] !== 0 &&
          mask[i - nx] !== 0 &&
          mask[i + nx] !== 0 &&
          (nz === 1 || (mask[i - nx * ny] !== 0 && mask[i + nx * ny] !== 0))
        if (!inside) surface[i] = 1
      }
    }
  }
  return surface
}
