import type { Affine, Dims, VoxelType } from '../../core/contract/schemas.ts'
import { largestDistance } from '../../core/geometry/index.ts'
import { Mismatch } from '../mismatch.ts'
import { readImage } from '../registry.ts'
import type { VoxelArray } from '../types.ts'
import { typeOf } from '../voxels/index.ts'
import { Digest } from './digest.ts'

export interface Expected {
  readonly dims: Dims
  readonly frames: number
  /** Of all samples that were written. */
  readonly digest: Digest
  readonly held: VoxelType
  /** Of the values: scaled = held * slope + inter. */
  readonly scaling: { readonly slope: number; readonly inter: number }
  /** In the unit of the file; null where it states none, undefined where the format has none. */
  readonly affine: Affine | null | undefined
  readonly signal: AbortSignal | undefined
  readonly passed: (piece: VoxelArray) => void
}

/** Reopens what was written and throws a `Mismatch` at the first thing that differs. */
export async function expectImage(path: string, expected: Expected): Promise<void> {
  const { dims, frames, signal, held, affine, scaling } = expected
  const found = new Digest(expected.digest.channels)
  for (let frame = 0; frame < frames; frame++) {
    const image = await readImage(path, { signal, selection: frames > 1 ? { frame } : {} })
    try {
      if (image.dims.join() !== dims.join()) {
        throw new Mismatch(`it has ${image.dims.join(' x ')} voxels instead of ${dims.join(' x ')}`)
      }
      if (image.info.frames !== frames) throw new Mismatch(`it has ${image.info.frames} frames instead of ${frames}`)
      if (!isNear(image.slope, scaling.slope) || !isNear(image.inter, scaling.inter)) {
        throw new Mismatch(
          `it has the scaling ${image.slope}, ${image.inter} instead of ${scaling.slope}, ${scaling.inter}`,
        )
      }
      if (affine !== undefined)
        expectAffine(image.info.affineSource === 'pixdim' ? null : image.info.affine, affine, dims)
      for await (const piece of image.voxels.pieces({ signal })) {
        if (typeOf(piece) !== held) throw new Mismatch(`it holds ${typeOf(piece)} instead of ${held}`)
        // A single slice in colour that has no colour is read as grey.
        found.add(image.channels < found.channels ? inColour(piece) : piece)
        expected.passed(piece)
      }
    } finally {
      await image.voxels.close()
    }
  }
  if (found.samples !== expected.digest.samples || found.value() !== expected.digest.value()) {
    throw new Mismatch('it does not hold the voxels that were written')
  }
}

function inColour(grey: VoxelArray): VoxelArray {
  const colour = new Uint8Array(grey.length * 3)
  for (let i = 0; i < colour.length; i++) colour[i] = grey[Math.floor(i / 3)] ?? 0
  return colour
}

/** Single precision, relative to the farthest corner. */
const PRECISION = 2 ** -20

function isNear(found: number, wanted: number): boolean {
  return Math.abs(found - wanted) <= Math.abs(wanted) * PRECISION
}

function expectAffine(found: Affine | null, wanted: Affine | null, dims: Dims): void {
  if (wanted === null || found === null) {
    if (wanted !== null) throw new Mismatch('it does not say where it lies')
    return
  }
  const size = Math.max(
    ...wanted
      .slice(0, 3)
      .map(
        ([a = 0, b = 0, c = 0, d = 0]) =>
          Math.abs(d) + Math.abs(a * dims[0]) + Math.abs(b * dims[1]) + Math.abs(c * dims[2]),
      ),
  )
  const apart = largestDistance(dims, found, wanted)
  if (!(apart <= size * PRECISION)) throw new Mismatch(`it lies up to ${apart.toPrecision(2)} away from its place`)
}
