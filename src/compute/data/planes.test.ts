import { describe, expect, it } from 'vitest'
import { memoryStore } from '../../imaging/index.ts'
import { imageSlice, labelSlice, outsideSlice } from './gridSampling.ts'
import { sliceGrid } from './planes.ts'
import type { Affine, Dims, Vec3 } from '../../core/contract/schemas.ts'

/** Voxels that say where they are in the body: right-left, back-front, down-up. */
function volume(dims: Dims, axes: readonly [Vec3, Vec3, Vec3]) {
  const affine: Affine = [...[0, 1, 2].map((r) => [axes[0][r] ?? 0, axes[1][r] ?? 0, axes[2][r] ?? 0, 0]), [0, 0, 0, 1]]
  const [nx, ny, nz] = dims
  const data = Float32Array.from({ length: nx * ny * nz }, (_, i) => {
    const at = [i % nx, Math.floor(i / nx) % ny, Math.floor(i / (nx * ny))]
    const world = [0, 1, 2].map((r) => axes.reduce((sum, axis, a) => sum + (axis[r] ?? 0) * (at[a] ?? 0), 0))
    return (world[0] ?? 0) + 100 * (world[1] ?? 0) + 10_000 * (world[2] ?? 0)
  })
  const spacing = axes.map((axis) => Math.hypot(...axis)) as unknown as Vec3
  return { dims, affine, spacing, channels: 1 as const, voxels: memoryStore(data, dims) }
}

describe('sliceGrid', () => {
  it('shows the same slices whatever the order in the file', async () => {
    const ras = volume(
      [5, 4, 3],
      [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ],
    )
    // Voxel axes: front to back, up, right to left.
    const other = volume(
      [4, 3, 5],
      [
        [0, -1, 0],
        [0, 0, 1],
        [-1, 0, 0],
      ],
    )
    for (const plane of ['axial', 'coronal', 'sagittal'] as const) {
      const [a, b] = [sliceGrid(ras, plane), sliceGrid(other, plane)]
      if (a === null || b === null) throw new Error('no grid')
      expect([a.width, a.height, a.slices]).toEqual([b.width, b.height, b.slices])
      const one = await imageSlice(ras, a, 1)
      const two = await imageSlice(other, b, 1)
      const steps = (data: ArrayLike<number>) => Array.from(data, (value) => value - (data[0] ?? 0))
      expect(steps(one.data)).toEqual(steps(two.data))
    }
  })

  it('puts patient right on the left and anterior on top', async () => {
    const ras = volume(
      [5, 4, 3],
      [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ],
    )
    const grid = sliceGrid(ras, 'training')
    if (grid === null) throw new Error('no grid')
    const { data } = await imageSlice(ras, grid, 2)
    // Top left: right (4), front (3), and each column goes to the left, each row to the back.
    expect([data[0], data[1], data[5]]).toEqual([20_304, 20_303, 20_204])
  })

  it('covers a volume by oblique slices, at 45 degrees, linear between', async () => {
    const ras = volume(
      [3, 8, 6],
      [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ],
    )
    const grid = sliceGrid(ras, 'oblique')
    if (grid === null) throw new Error('no grid')
    const numbers = Uint32Array.from({ length: 3 * 8 * 6 }, (_, i) => i + 1)
    // Where each voxel is among the rows and slices: no voxel lies beyond the first or the last.
    for (let y = 0; y < 8; y++) {
      for (let z = 0; z < 6; z++) {
        const along = ([, dy, dz]: Vec3): number => (y - grid.origin[1]) * dy + (z - grid.origin[2]) * dz
        const [j, k] = [along(grid.row), along(grid.next)]
        expect(Math.min(j, k)).toBeGreaterThan(-0.5)
        expect(Math.max(j - grid.height, k - grid.slices)).toBeLessThan(-0.5)
      }
    }
    const seen = new Set<number>()
    for (let k = 0; k < grid.slices; k++) {
      for (const id of labelSlice(numbers, ras.dims, grid, k, 0)) seen.add(id)
      const { data } = await imageSlice(ras, grid, k)
      const outside = outsideSlice(ras.dims, grid, k)
      // Inside, going down a row goes back and down by the same length.
      for (let j = 1; j < grid.height; j++) {
        const at = j * grid.width
        if (outside[at] === 1 || outside[at - grid.width] === 1) continue
        const step = (data[at] ?? 0) - (data[at - grid.width] ?? 0)
        if (j > 1 && j < grid.height - 2 && Math.abs(step + 10_100 * Math.SQRT1_2) > 1) {
          // Only beyond the outermost voxels' centres is it less.
          expect(Math.abs(step)).toBeLessThan(10_100 * Math.SQRT1_2)
        }
      }
    }
    seen.delete(0)
    // Nearest neighbours of a turned grid: some voxels lie between them.
    expect(seen.size).toBeGreaterThan(0.8 * numbers.length)
  })

  it('gives pictures one plane, and volumes without a place three', () => {
    const flat = { dims: [6, 5, 1] as Dims, affine: null, spacing: [1, 1, 1] as Vec3 }
    expect(sliceGrid(flat, 'training')).toMatchObject({ width: 6, height: 5, slices: 1 })
    expect(sliceGrid(flat, 'coronal')).toBeNull()
    expect(sliceGrid(flat, 'oblique')).toBeNull()
    const stack = { dims: [6, 5, 4] as Dims, affine: null, spacing: [1, 1, 1] as Vec3 }
    expect(sliceGrid(stack, 'coronal')).toMatchObject({ width: 6, height: 4, slices: 5 })
    expect(sliceGrid(stack, 'sagittal')).toMatchObject({ width: 5, height: 4, slices: 6 })
  })
})
