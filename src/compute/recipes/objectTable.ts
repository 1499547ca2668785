import { voxelToWorld } from '../../core/geometry/index.ts'
import { measureObjects } from '../../core/voxels/index.ts'
import type { Vec3 } from '../../core/contract/schemas.ts'
import type { MeasuredObject } from '../../core/voxels/index.ts'
import type { ImageVolume } from '../../imaging/index.ts'

export interface ObjectTable {
  readonly count: number
  readonly csv: string
  readonly json: string
}

/**
 * The objects of an image as a table, a line each. Of pictures: area (pixels, and mm2 where the pixel size is known), perimeter
 * (pixels, and mm of square ones), of volumes the volume (voxels and mm3); centroid in voxels counted from 0, and in mm where the
 * image says where it lies; mean intensity, scaled, of colour the brightness. Empty, or null, where it is not known.
 */
export async function objectTable(ids: Uint32Array, image: ImageVolume, signal?: AbortSignal): Promise<ObjectTable> {
  const measured = measureObjects(ids, image.dims, await intensities(image, signal))
  const rows = measured.map((object) => rowOf(object, image))
  const columns = Object.keys(
    rowOf({ id: 0, size: 0, centroid: [0, 0, 0], perimeter: null, meanIntensity: null }, image),
  )
  const lines = [columns, ...rows.map((row) => columns.map((column) => String(row[column] ?? '')))]
  return {
    count: rows.length,
    csv: `${lines.map((line) => line.join(',')).join('\n')}\n`,
    json: `${JSON.stringify({ objects: rows }, null, 2)}\n`,
  }
}

type Row = Record<string, number | null>

function rowOf({ id, size, centroid, perimeter, meanIntensity }: MeasuredObject, image: ImageVolume): Row {
  const [x, y, z] = centroid
  const common = { meanIntensity: rounded(meanIntensity) }
  const [sx, sy] = image.spacing
  const known = image.spacingKnown
  if (image.dims[2] === 1) {
    const square = Math.abs(sx - sy) <= 1e-6 * sx
    return {
      id,
      area: size,
      areaMm2: known ? rounded(size * sx * sy) : null,
      perimeter: rounded(perimeter),
      perimeterMm: known && square && perimeter !== null ? rounded(perimeter * sx) : null,
      x: rounded(x),
      y: rounded(y),
      ...common,
    }
  }
  const world: Vec3 | null = image.affine === null ? null : voxelToWorld(image.affine, [x, y, z])
  return {
    id,
    voxels: size,
    volumeMm3: known ? rounded(size * image.spacing.reduce((product, each) => product * each, 1)) : null,
    x: rounded(x),
    y: rounded(y),
    z: rounded(z),
    xMm: rounded(world?.[0] ?? null),
    yMm: rounded(world?.[1] ?? null),
    zMm: rounded(world?.[2] ?? null),
    ...common,
  }
}

/** Scaled, one a voxel; of colours the brightness, Rec. 601. */
async function intensities(image: ImageVolume, signal: AbortSignal | undefined): Promise<Float64Array> {
  const { voxels, channels, slope, inter, dims } = image
  const values = new Float64Array(dims[0] * dims[1] * dims[2])
  let at = 0
  for await (const piece of voxels.pieces({ signal })) {
    for (let i = 0; i < piece.length; i += channels, at++) {
      const raw =
        channels === 1
          ? (piece[i] ?? 0)
          : 0.299 * (piece[i] ?? 0) + 0.587 * (piece[i + 1] ?? 0) + 0.114 * (piece[i + 2] ?? 0)
      values[at] = raw * slope + inter
    }
  }
  return values
}

/** Single precision is what images have. */
function rounded(value: number | null): number | null {
  return value === null ? null : Number(value.toPrecision(7))
}
