import type { Dims } from '../../core/contract/schemas.ts'
import type { LabelArray, MaskVolume, VoxelArray } from '../types.ts'
import { compareWithImage, type Grid } from './compare.ts'
import { placeOf } from './labels.ts'
import { Mismatch } from '../mismatch.ts'

/** Throws a `Mismatch` at the first voxel that differs. Both hold one label a voxel, x fastest. */
export function expectLabels(read: VoxelArray, wanted: VoxelArray, dims: Dims, offset = 0): void {
  for (let i = 0; i < wanted.length; i++) {
    if (read[i] === wanted[i]) continue
    const place = placeOf(offset + i, dims)
    throw new Mismatch(`${place} holds ${read[i] ?? 'nothing'} instead of ${wanted[i] ?? 'nothing'}`)
  }
  if (read.length !== wanted.length) throw new Mismatch(`it has ${read.length} voxels instead of ${wanted.length}`)
}

/** Throws a `Mismatch` where the extents differ. */
export function expectDims(read: Dims, wanted: Dims): void {
  if (read.join() !== wanted.join())
    throw new Mismatch(`it has ${read.join(' x ')} voxels instead of ${wanted.join(' x ')}`)
}

/** Throws a `Mismatch` where a mask does not lie on its image, in the image's own order of axes. */
export function expectPlace(read: Pick<MaskVolume, 'dims' | 'affine'>, image: Grid): void {
  const { fit, difference } = compareWithImage(read, image)
  if (fit !== 'same' || difference !== null) throw new Mismatch('it lies elsewhere than its image')
}

/** Where labels begin and end: [first voxel, voxels, label] a run, x fastest. Small for what people draw. */
export function runsOf(labels: LabelArray): Uint32Array {
  let runs = new Uint32Array(3 * 256)
  let used = 0
  for (let i = 0; i < labels.length;) {
    const label = labels[i] ?? 0
    let end = i + 1
    while (end < labels.length && labels[end] === label) end++
    if (label !== 0) {
      if (used + 3 > runs.length) {
        const larger = new Uint32Array(runs.length * 2)
        larger.set(runs)
        runs = larger
      }
      runs.set([i, end - i, label], used)
      used += 3
    }
    i = end
  }
  return runs.slice(0, used)
}

/** `expectLabels` against what `runsOf` kept. */
export function expectRuns(read: LabelArray, runs: Uint32Array, dims: Dims): void {
  const fail = (at: number, wanted: number): never => {
    throw new Mismatch(`${placeOf(at, dims)} holds ${read[at] ?? 'nothing'} instead of ${wanted}`)
  }
  let at = 0
  for (let r = 0; r < runs.length; r += 3) {
    const start = runs[r] ?? 0
    const label = runs[r + 2] ?? 0
    for (; at < start; at++) if (read[at] !== 0) fail(at, 0)
    for (const end = start + (runs[r + 1] ?? 0); at < end; at++) if (read[at] !== label) fail(at, label)
  }
  for (; at < read.length; at++) if (read[at] !== 0) fail(at, 0)
}
