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
  const hashed: HashedSample[] = []
  for (const [at, sample] of samples.entries()) {
    if (at % AT_ONCE === AT_ONCE - 1) await nextTurn()
    hashed.push({ hash: hashOf(sample), role: sample.role })
  }
  return dataOf(hashed)
}

interface HashedSample {
  readonly hash: string
  readonly role: TrainingSample['role']
}

function dataOf(samples: readonly HashedSample[]): NonNullable<ModelCard['data']> {
  const corrected = samples.filter(({ role }) => role === 'corrected').length
  return {
    sha256: sha256(
      ...samples
        .map(({ hash }) => hash)
        .sort()
        .map((hash) => `${hash}\n`),
    ),
    samples: samples.length,
    corrected,
    replay: samples.length - corrected,
  }
}

function hashOf(sample: TrainingSample): string {
  const { role, width, height, channels, voxelType, slope, inter, low, high } = sample
  const header = [role, width, height, channels, voxelType, slope, inter, low, high].join(' ')
  const { data, labels, trusted } = sample
  return sha256(`${header}\n`, data, labels, ...(trusted === undefined ? [] : [trusted]))
}

/** What a training in many runs learned from, in whichever of them; what it was is not kept, only what the card says of it. */
export interface LearnedRecord {
  /** These were learned from. Known ones cost nothing: those of the same arrays. */
  add(samples: readonly TrainingSample[]): Promise<void>
  /**
   * Each slice once, in the state in which it was learned last, and as corrected where it ever was. The data as learnedData
   * says it of those; slices are the same where their pictures are.
   */
  card(): Required<Pick<ModelCard, 'data' | 'spacing'>>
}

export function createLearnedRecord(): LearnedRecord {
  const slices = new Map<string, HashedSample & Pick<TrainingSample, 'geometry'>>()
  const pictures = new WeakMap<Uint8Array, string>()
  const known = new WeakMap<Uint8Array, Pick<TrainingSample, 'labels' | 'trusted' | 'role'>>()

  function pictureOf({ data, width, height, low, high, slope, inter }: TrainingSample): string {
    const bytes = pictures.get(data) ?? sha256(data)
    pictures.set(data, bytes)
    return [bytes, width, height, low, high, slope, inter].join(' ')
  }

  return {
    async add(samples) {
      let hashed = 0
      for (const sample of samples) {
        const before = known.get(sample.data)
        const same = before?.labels === sample.labels && before.trusted === sample.trusted
        if (same && (before.role === 'corrected' || before.role === sample.role)) continue
        if (++hashed % AT_ONCE === 0) await nextTurn()
        const picture = pictureOf(sample)
        const role = slices.get(picture)?.role === 'corrected' ? 'corrected' : sample.role
        slices.set(picture, { hash: hashOf({ ...sample, role }), role, geometry: sample.geometry })
        known.set(sample.data, { labels: sample.labels, trusted: sample.trusted, role })
      }
    },
    card() {
      const all = [...slices.values()]
      return { data: dataOf(all), spacing: learnedSpacing(all) }
    },
  }
}

/** Medians of what is known of the samples' geometry; null where nothing is. */
export function learnedSpacing(samples: readonly Pick<TrainingSample, 'geometry'>[]): ModelCard['spacing'] {
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
