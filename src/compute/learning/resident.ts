import { promisify } from 'node:util'
import { inflateRaw } from 'node:zlib'
import { CodedError } from '../../core/contract/errors.ts'
import { storedToShown } from '../../core/geometry/index.ts'
import { applyDelta, extractSlice, validateDelta } from '../../core/labelmap/index.ts'
import { memoryBound } from '../runtime/memory.ts'
import type { LabelDelta } from '../../core/labelmap/index.ts'
import type { ComputeSlice, KeptSample, SliceGeometry, TrainingSample } from '../../core/contract/compute.ts'
import type { NetworkLayout } from '../../core/contract/computeLearning.ts'
import type { Dims } from '../../core/contract/schemas.ts'

const inflate = promisify(inflateRaw)

/** Of what the process may hold, so much at most is for copies of labels and pictures. */
const SHARE = 0.2

/** A case as it is brought: all labels, raw deflate of one byte a voxel in file order. */
export interface OpenedCase {
  readonly caseId: string
  readonly dims: Dims
  /** How the network sees its slices. */
  readonly layout: NetworkLayout
  readonly revision: number
  readonly labels: Uint8Array
}

export interface CasePatch extends LabelDelta {
  readonly caseId: string
  /** That the case has with this change. */
  readonly revision: number
}

export interface KeptSlices {
  readonly caseId: string
  readonly slices: readonly ComputeSlice[]
  readonly geometry: SliceGeometry | null
}

/** What a training is given: whole samples, and names of slices that are kept here. */
export interface GivenLessons {
  readonly samples: readonly TrainingSample[]
  readonly kept: readonly KeptSample[]
}

/**
 * Copies of the cases that are being worked on: all their labels, patched stroke by stroke, and pictures of some of their
 * slices. Within a bound of bytes, the least used case is dropped first; the one used last always stays. Nothing here is the
 * only one of its kind: whoever needs what is gone is told `not-resident` and brings it again.
 */
export interface Resident {
  /** Keeps the labels of a case. Pictures that it had stay, where its grid is the same. Throws CodedError('bad-request'). */
  open(opened: OpenedCase): Promise<void>
  /**
   * Applies a change, and answers the revision that is kept then. One that is known already changes nothing. Throws
   * CodedError: 'not-resident' where the case is not kept or the change is not the next one, 'bad-request' for one that is
   * malformed. A case that does not hold what the change found before is dropped: it has gone another way.
   */
  patch(patch: CasePatch): Promise<number>
  /** Keeps pictures of slices. Throws CodedError: 'not-resident'; 'bad-request' for a slice of another size. */
  keep(kept: KeptSlices): void
  close(caseId: string): void
  /** Forgets all of it. */
  drop(): void
  /**
   * Samples, then kept ones with their labels as they are at this moment: later changes do not reach what was given out.
   * Throws CodedError('not-resident') unless all are kept, with the missing cases in its detail, one a line.
   */
  resolve(lessons: GivenLessons): Promise<TrainingSample[]>
  /** Bytes that are held. */
  bytes(): number
}

interface Entry {
  readonly dims: Dims
  readonly layout: NetworkLayout
  /** Pending while they are unpacked; what comes meanwhile waits for them in its order. */
  readonly labels: Promise<Uint8Array<ArrayBuffer>>
  revision: number
  geometry: SliceGeometry | null
  pictures: Map<number, ComputeSlice>
  /**
   * Labels of slices as they were given out, until a change reaches them, and what of them is trusted: what stays the same is the
   * same array, so that whoever prepared it once need not again.
   */
  readonly given: Map<number, Pick<TrainingSample, 'labels' | 'trusted'>>
}

export function createResident({ budget = SHARE * memoryBound() }: { readonly budget?: number } = {}): Resident {
  /** Least recently used first. */
  const entries = new Map<string, Entry>()

  function use(caseId: string): Entry {
    const entry = entries.get(caseId)
    if (entry === undefined) throw notResident([caseId])
    entries.delete(caseId)
    entries.set(caseId, entry)
    return entry
  }

  /** Waits for the labels; the case may be closed, dropped or brought again meanwhile. */
  async function labelsOf(
    caseId: string,
  ): Promise<{ readonly entry: Entry; readonly labels: Uint8Array<ArrayBuffer> }> {
    const entry = use(caseId)
    const labels = await entry.labels.catch(() => null)
    if (labels === null || entries.get(caseId) !== entry) throw notResident([caseId])
    return { entry, labels }
  }

  const bytes = (): number => [...entries.values()].reduce((sum, entry) => sum + bytesOf(entry), 0)

  function shrink(): void {
    let total = bytes()
    // What can be made of the rest goes first.
    for (const entry of entries.values()) {
      if (total <= budget) return
      total -= bytesOf(entry)
      entry.given.clear()
      total += bytesOf(entry)
    }
    for (const [caseId, entry] of entries) {
      if (total <= budget || entries.size <= 1) return
      entries.delete(caseId)
      total -= bytesOf(entry)
    }
  }

  return {
    async open({ caseId, dims, layout, revision, labels: packed }) {
      checkLayout(dims, layout)
      const known = entries.get(caseId)
      const same = known !== undefined && sameGrid(known, { dims, layout }) ? known : null
      const labels = unpacked(packed, dims)
      const entry: Entry = {
        ...{ dims, layout, labels, revision },
        given: new Map(),
        ...{ geometry: same?.geometry ?? null, pictures: same?.pictures ?? new Map<number, ComputeSlice>() },
      }
      entries.delete(caseId)
      entries.set(caseId, entry)
      shrink()
      try {
        await labels
      } catch (error) {
        if (entries.get(caseId) === entry) entries.delete(caseId)
        throw error
      }
    },
    async patch({ caseId, revision, box, runs }) {
      const { entry, labels } = await labelsOf(caseId)
      if (revision <= entry.revision) return entry.revision
      if (revision > entry.revision + 1) throw notResident([caseId])
      validateDelta({ box, runs }, entry.dims)
      const axis = entry.layout.sliceAxis
      for (let slice = box.min[axis]; slice < box.max[axis]; slice++) entry.given.delete(slice)
      try {
        applyDelta(labels, entry.dims, { box, runs })
      } catch {
        entries.delete(caseId)
        throw notResident([caseId])
      }
      entry.revision = revision
      return revision
    },
    keep({ caseId, slices, geometry }) {
      const entry = use(caseId)
      const { layout, dims } = entry
      for (const { width, height, index } of slices) {
        if (width !== layout.width || height !== layout.height || index >= dims[layout.sliceAxis]) {
          throw new CodedError('bad-request', 'A slice that is to be kept is not one of its case.')
        }
      }
      // Copied: what was received may be a view of a message, which all of it would stay in memory for.
      for (const slice of slices) entry.pictures.set(slice.index, { ...slice, data: new Uint8Array(slice.data) })
      entry.geometry = geometry
      shrink()
    },
    close(caseId) {
      entries.delete(caseId)
    },
    drop() {
      entries.clear()
    },
    async resolve({ samples, kept }) {
      const cases = new Map<string, { readonly entry: Entry; readonly labels: Uint8Array<ArrayBuffer> }>()
      const missing = new Set<string>()
      for (const { caseId, index } of kept) {
        if (missing.has(caseId)) continue
        const found = cases.get(caseId) ?? (await labelsOf(caseId).catch(() => null))
        if (found?.entry.pictures.has(index) === true) cases.set(caseId, found)
        else missing.add(caseId)
      }
      for (const [caseId, { entry }] of cases) if (entries.get(caseId) !== entry) missing.add(caseId)
      if (missing.size > 0) throw notResident([...missing])
      // Without a pause from here on: all slices as they are at one moment.
      const resolved = [...samples, ...kept.map((sample) => sampleOf(cases.get(sample.caseId), sample))]
      // What is answered holds its own arrays, whatever goes.
      shrink()
      return resolved
    },
    bytes,
  }
}

function sampleOf(
  found: { readonly entry: Entry; readonly labels: Uint8Array<ArrayBuffer> } | undefined,
  { caseId, index, trusted, ...lesson }: KeptSample,
): TrainingSample {
  const picture = found?.entry.pictures.get(index)
  if (found === undefined || picture === undefined) throw notResident([caseId])
  const { dims, layout, geometry } = found.entry
  const { given } = found.entry
  const known = given.get(index)
  const labels = known?.labels ?? storedToShown(extractSlice(found.labels, dims, layout.sliceAxis, index), layout)
  const state = trusted === undefined ? { labels } : { labels, trusted: sameArray(known?.trusted, trusted) }
  given.set(index, state)
  return { ...picture, ...lesson, ...state, geometry }
}

/** The array that is known already where the new one holds the same; else a copy, since that may be a view of a message. */
function sameArray(known: Uint8Array | undefined, given: Uint8Array): Uint8Array<ArrayBuffer> {
  const isSame = known !== undefined && Buffer.compare(known, given) === 0
  return isSame ? (known as Uint8Array<ArrayBuffer>) : new Uint8Array(given)
}

/** Throws CodedError('bad-request') unless there is one byte for each voxel. */
async function unpacked(packed: Uint8Array, dims: Dims): Promise<Uint8Array<ArrayBuffer>> {
  const voxels = dims[0] * dims[1] * dims[2]
  const labels = await inflate(packed, { maxOutputLength: voxels }).catch((cause: unknown) => {
    throw new CodedError('bad-request', 'The labels of a case cannot be unpacked.', { cause, detail: String(cause) })
  })
  // As plain bytes: a Buffer's slices would be views, which later changes reach.
  if (labels.length === voxels) return new Uint8Array(labels.buffer, labels.byteOffset, voxels)
  throw new CodedError('bad-request', `A case has ${labels.length} labels for its ${voxels} voxels.`)
}

/** Throws CodedError('bad-request') for a layout that is none of these extents. */
function checkLayout(dims: Dims, { sliceAxis, columnAxis, rowAxis, width, height }: NetworkLayout): void {
  const each = new Set([sliceAxis, columnAxis, rowAxis]).size === 3
  if (!each || width !== dims[columnAxis] || height !== dims[rowAxis]) {
    throw new CodedError('bad-request', 'The layout of a case does not fit its extents.')
  }
}

function sameGrid(a: Pick<Entry, 'dims' | 'layout'>, b: Pick<Entry, 'dims' | 'layout'>): boolean {
  const key = ({ dims, layout: l }: Pick<Entry, 'dims' | 'layout'>): string =>
    [...dims, l.sliceAxis, l.columnAxis, l.rowAxis, l.flipColumns, l.flipRows].join(' ')
  return key(a) === key(b)
}

function bytesOf({ dims, pictures, given }: Entry): number {
  let sum = dims[0] * dims[1] * dims[2]
  for (const { data } of pictures.values()) sum += data.byteLength
  for (const { labels, trusted } of given.values()) sum += labels.byteLength + (trusted?.byteLength ?? 0)
  return sum
}

function notResident(cases: readonly string[]): CodedError {
  return new CodedError('not-resident', 'What is needed of a case is not kept any more; it is read again.', {
    detail: cases.join('\n'),
  })
}
