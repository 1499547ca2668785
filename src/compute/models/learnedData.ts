import { setImmediate as nextTurn } from 'node:timers/promises'
import { sha256 } from './checksums.ts'
import type { ModelCard, SliceGeometry, TrainingSample } from '../../core/contract/compute.ts'

/** So many samples are hashed before messages are let in: a few milliseconds. */
const AT_ONCE = 8

/**
 * What a model learned from, as its card says it. The hash of one sample is SHA-256 over
 * `role width height channels voxelType slope inter low high` (joined by spaces, ended by a line feed), the bytes of its
 * samples and those of its labels, and where only parts of it teach those of `trusted`; the hash of all is SHA-256 over the samples' hashes in hexadecimal, sorted, each
 * ended by a line feed. So the same slices give the same hash in whatever order they come, and a slice that comes twice
 * counts twice.
 */
export async function learnedData(samples: readonly TrainingSample[]): Promise<NonNullable<ModelCard['data']>> {
  const hashes: string[] = []
  for (const [at, sample] of samples.entries()) {
    if (at % AT_ONCE === AT_ONCE - 1) await nextTurn()
    const { role, width, height, channels, voxelType, slope, inter, low, high } = sample
    const header = [role, width, height, channels, voxelType, slope, inter, low, high].join(' ')
    const { data, labels, trusted } = sample
    hashes.push(sha256(`${header}\n`, data, labels, ...(trusted === undefined ? [] : [trusted])))
  }
  const corrected = samples.filter(({ role }) => role === 'corrected').length
  return {
    sha256: sha256(...hashes.sort().map((hash) => `${hash}\n`)),
    samples: samples.length,
    corrected,
    replay: samples.length - corrected,
  }
}

/** Medians of what is known of the samples' geometry; null where nothing is. */
export function learnedSpacing(samples: readonly TrainingSample[]): ModelCard['spacing'] {
  const known = samples
    .map(({ geometry }) => geometry)
    .filter((geometry) => geometry !== null && geometry !== undefined)
  const [first] = known
  if (first === undefined) return null
  const agree = known.every(({ plane }) => plane === first.plane)
  const gaps = known.map(({ slices }) => slices).filter((gap) => gap !== null)
  const of = (take: (geometry: SliceGeometry) => number) => median(known.map(take))
  return {
    plane: agree ? first.plane : 'mixed',
    inPlane: [of(({ columns }) => columns), of(({ rows }) => rows)],
    slices: gaps.length === 0 ? null : median(gaps),
    samples: known.length,
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle)] ?? NaN)) / 2
}
