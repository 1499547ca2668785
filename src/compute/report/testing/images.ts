import { memoryStore } from '../../../imaging/index.ts'
import type { Affine, Dims, Vec3 } from '../../../core/contract/schemas.ts'
import type { ImageVolume } from '../../../imaging/index.ts'

/** An image in memory, as if it had been read. */
export function imageOf(
  dims: Dims,
  data: Uint8Array<ArrayBuffer>,
  more: { readonly affine?: Affine; readonly spacing?: Vec3; readonly channels?: 1 | 3 } = {},
): ImageVolume {
  const { affine = null, spacing = [1, 1, 1], channels = 1 } = more
  const spacingKnown = more.spacing !== undefined
  return {
    info: {
      ...{ format: 'nifti1', dims: [...dims, 1], spacing, spacingKnown, datatype: 'uint8', channels },
      ...{ channelNames: [], complex: false, tiled: false, disagreement: null, affine, affineSource: 'sform' },
      ...{ orientation: null, slope: 1, inter: 0, byteOrder: 'little', compressed: false, frames: 1, levels: 1 },
      warnings: [],
    },
    kind: dims[2] === 1 ? 'image' : 'volume',
    ...{ dims, channels, voxelType: 'uint8', slope: 1, inter: 0, affine, spacing, spacingKnown },
    voxels: memoryStore(data, dims, channels),
    orientation: null,
    source: { kind: 'raster', path: 'x.png' },
    warnings: [],
  }
}

/** A disk (a cylinder in a volume) of a label on background, and a picture in which it is bright. */
export function diskOf(dims: Dims, centre: readonly [number, number], radius: number): Uint8Array<ArrayBuffer> {
  const [nx, ny, nz] = dims
  return Uint8Array.from({ length: nx * ny * nz }, (_, at) => {
    const [x, y] = [at % nx, Math.floor(at / nx) % ny]
    return Math.hypot(x - centre[0], y - centre[1]) < radius ? 1 : 0
  })
}
