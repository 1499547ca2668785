import type { GridDims } from './grid.ts'
import { extentsOf } from './grid.ts'

/** Calls `visit` with each neighbour of a voxel that lies inside, the nearest first, then in the order of the voxels. */
export type Neighbours = (voxel: number, visit: (other: number) => void) => void

/** `faces`: 4 in a picture, 6 in a volume; `all`: 8 and 26. */
export function neighboursOf(dims: GridDims, which: 'faces' | 'all'): Neighbours {
  const [nx, ny, nz] = extentsOf(dims)
  const steps: { dx: number; dy: number; dz: number; far: number }[] = []
  for (const dz of nz > 1 ? [-1, 0, 1] : [0]) {
    for (const dy of [-1, 0, 1]) {
      for (const dx of [-1, 0, 1]) {
        const far = Math.abs(dx) + Math.abs(dy) + Math.abs(dz)
        if (far > 0 && (which === 'all' || far === 1)) steps.push({ dx, dy, dz, far })
      }
    }
  }
  const ordered = steps
    .sort((a, b) => a.far - b.far)
    .map(({ dx, dy, dz }) => ({ dx, dy, dz, shift: dx + nx * (dy + ny * dz) }))
  return (voxel, visit) => {
    const x = voxel % nx
    const row = (voxel - x) / nx
    const y = row % ny
    const z = (row - y) / ny
    for (const { dx, dy, dz, shift } of ordered) {
      const [a, b, c] = [x + dx, y + dy, z + dz]
      if (a >= 0 && b >= 0 && c >= 0 && a < nx && b < ny && c < nz) visit(voxel + shift)
    }
  }
}
