import type { Dims } from '../../core/contract/index.ts'
import type { Random } from './random.ts'

/**
 * Smooth random field on a voxel grid: a lattice of standard normal values every `cell` voxels (x, y, z), joined by
 * smoothstep-weighted trilinear interpolation (value noise). x fastest, mean about 0, standard deviation below 1.
 */
export function noiseField(dims: Dims, cell: readonly [number, number, number], random: Random): Float32Array {
  const [nx, ny, nz] = dims
  const lx = Math.ceil(nx / cell[0]) + 2
  const ly = Math.ceil(ny / cell[1]) + 2
  const lz = Math.ceil(nz / cell[2]) + 2
  const lattice = new Float32Array(lx * ly * lz)
  for (let i = 0; i < lattice.length; i++) lattice[i] = random.normal()
  const xs = axisWeights(nx, cell[0], random.next())
  const ys = axisWeights(ny, cell[1], random.next())
  const zs = axisWeights(nz, cell[2], random.next())

  const out = new Float32Array(nx * ny * nz)
  const plane = new Float32Array(lx * ly)
  const row = new Float32Array(lx)
  for (let z = 0; z < nz; z++) {
    const z0 = (zs.cell[z] ?? 0) * lx * ly
    const wz = zs.weight[z] ?? 0
    for (let i = 0; i < plane.length; i++) {
      const below = lattice[z0 + i] ?? 0
      plane[i] = below + wz * ((lattice[z0 + lx * ly + i] ?? 0) - below)
    }
    for (let y = 0; y < ny; y++) {
      const y0 = (ys.cell[y] ?? 0) * lx
      const wy = ys.weight[y] ?? 0
      for (let i = 0; i < lx; i++) {
        const before = plane[y0 + i] ?? 0
        row[i] = before + wy * ((plane[y0 + lx + i] ?? 0) - before)
      }
      const start = nx * (y + ny * z)
      for (let x = 0; x < nx; x++) {
        const x0 = xs.cell[x] ?? 0
        const left = row[x0] ?? 0
        out[start + x] = left + (xs.weight[x] ?? 0) * ((row[x0 + 1] ?? 0) - left)
      }
    }
  }
  return out
}

function axisWeights(length: number, cell: number, shift: number): { cell: Int32Array; weight: Float32Array } {
  const cells = new Int32Array(length)
  const weight = new Float32Array(length)
  for (let i = 0; i < length; i++) {
    const position = i / cell + shift
    const t = position - Math.floor(position)
    cells[i] = Math.floor(position)
    weight[i] = t * t * (3 - 2 * t)
  }
  return { cell: cells, weight }
}

/** In-place blur along one axis with the kernel [side, 1 - 2 side, side]; edges repeat. `stride` and `count` name the axis. */
export function blurAxis(data: Float32Array, dims: Dims, axis: 0 | 1 | 2, side: number): void {
  const strides = [1, dims[0], dims[0] * dims[1]] as const
  const stride = strides[axis]
  const length = dims[axis]
  const middle = 1 - 2 * side
  // Whole rows of x are walked together, so that memory is read in order for every axis.
  if (axis === 0) {
    for (let start = 0; start < data.length; start += length) {
      let before = data[start] ?? 0
      let here = before
      for (let i = start; i < start + length; i++) {
        const after = i + 1 < start + length ? (data[i + 1] ?? 0) : here
        data[i] = side * (before + after) + middle * here
        before = here
        here = after
      }
    }
    return
  }
  const previous = new Float32Array(stride)
  const block = stride * length
  for (let start = 0; start < data.length; start += block) {
    previous.set(data.subarray(start, start + stride))
    for (let k = 0; k < length; k++) {
      const at = start + k * stride
      const nextOffset = k + 1 < length ? stride : 0
      for (let i = 0; i < stride; i++) {
        const here = data[at + i] ?? 0
        data[at + i] = side * ((previous[i] ?? 0) + (data[at + i + nextOffset] ?? 0)) + middle * here
        previous[i] = here
      }
    }
  }
}

/** Adds Gaussian noise of standard deviation `sigma`, correlated over neighbouring pixels of each x-y plane. */
export function addCorrelatedNoise(data: Float32Array, dims: Dims, sigma: number, random: Random): void {
  const noise = new Float32Array(data.length)
  // Sum of four uniform bytes: mean 510, variance 4 (256^2 - 1) / 12. The two blurs below keep 0.375 of the deviation.
  const scale = sigma / (Math.sqrt((4 * 65535) / 12) * 0.375)
  for (let i = 0; i < noise.length; i++) {
    const bits = random.bits()
    noise[i] = ((bits & 255) + ((bits >>> 8) & 255) + ((bits >>> 16) & 255) + (bits >>> 24) - 510) * scale
  }
  blurAxis(noise, dims, 0, 0.25)
  blurAxis(noise, dims, 1, 0.25)
  for (let i = 0; i < data.length; i++) data[i] = (data[i] ?? 0) + (noise[i] ?? 0)
}
