import path from 'node:path'
import { CodedError } from '../../core/contract/errors.ts'
import { planeViews } from '../../core/geometry/index.ts'
import { rangeOf } from '../../imaging/index.ts'
import { openCase, readTruth } from './caseReader.ts'
import { labelSlice } from './gridSampling.ts'
import { packTruth, packedBytes } from './packed.ts'
import { sliceGrid } from './planes.ts'
import type { Dims } from '../../core/contract/schemas.ts'
import type { ModelCard } from '../../core/contract/compute.ts'
import type { ImageVolume } from '../../imaging/index.ts'
import type { MaskRules, Truth } from '../../imaging/index.ts'
import type { FoundCase, LeftFile } from './layouts/index.ts'
import type { PackedTruth } from './packed.ts'
import type { SliceGrid, SlicePlane } from './planes.ts'

/** Pixels of each label in each slice of a plane, by label value. */
export interface PlaneCounts {
  readonly grid: SliceGrid
  readonly slices: readonly ReadonlyMap<number, number>[]
}

/** What was found in one case. Small: a set of thousands is held in memory. */
export interface Surveyed {
  readonly files: FoundCase
  readonly dims: Dims
  readonly channels: 1 | 3
  readonly low: number
  readonly high: number
  /** Mean brightness between black and white of the picture, 0 to 1. */
  readonly brightness: number
  /** About as much memory as the case takes while it is open. */
  readonly bytes: number
  readonly planes: readonly PlaneCounts[]
  readonly spacing: NonNullable<ModelCard['spacing']> | null
  /** Of objects in many files, which take long to read: what they say, as far as there is room for it. */
  readonly packed: PackedTruth | undefined
  readonly names: ReadonlyMap<number, string>
  readonly overlap: number
  readonly hidden: number
  readonly unknown: readonly number[]
  readonly remarks: readonly string[]
}

/** So much of what was read is kept. */
const PACKED_BYTES = 2 ** 26

export interface SurveyOptions {
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((done: number, of: number) => void) | undefined
  /** Sees each case while it is open. */
  readonly visit?: (files: FoundCase, image: ImageVolume, truth: Truth) => Promise<void>
}

/**
 * Reads every case once, one after the other, and keeps what is needed of it. What cannot be read, or does not fit, is left
 * out with the reason. Throws CodedError('cancelled') alone.
 */
export async function surveyCases(
  cases: readonly FoundCase[],
  rules: MaskRules,
  planes: readonly SlicePlane[],
  { signal, onProgress, visit }: SurveyOptions = {},
): Promise<{ surveyed: Surveyed[]; left: LeftFile[] }> {
  const surveyed: Surveyed[] = []
  const left: LeftFile[] = []
  let room = PACKED_BYTES
  for (const [at, files] of cases.entries()) {
    if (signal?.aborted) throw new CodedError('cancelled', 'The data were not looked through to the end.')
    try {
      const found = await surveyCase(files, rules, planes, signal, visit)
      room -= found.packed === undefined ? 0 : packedBytes(found.packed)
      surveyed.push(room < 0 ? { ...found, packed: undefined } : found)
    } catch (error) {
      if (signal?.aborted === true) throw new CodedError('cancelled', 'The data were not looked through to the end.')
      if (error instanceof MaskError) left.push({ file: error.mask, reason: error.message })
      else if (error instanceof CodedError) left.push({ file: files.image, reason: error.message })
      else throw error
    }
    onProgress?.(at + 1, cases.length)
  }
  return { surveyed, left }
}

/** A mask that leaves its case out; image and mask may be of one name, so that the sentence alone does not tell which. */
class MaskError extends CodedError {
  readonly mask: string

  constructor(mask: string, { code, message, detail }: CodedError) {
    super(code, message, detail === undefined ? {} : { detail })
    this.mask = mask
  }
}

async function surveyCase(
  files: FoundCase,
  rules: MaskRules,
  planes: readonly SlicePlane[],
  signal: AbortSignal | undefined,
  visit: SurveyOptions['visit'],
): Promise<Surveyed> {
  const image = await openCase(files, signal)
  try {
    const truth = await readTruth(files, image, rules, signal).catch((error: unknown) => {
      const [mask, another] = files.masks
      // Of many masks the sentence names its own.
      if (!(error instanceof CodedError) || mask === undefined || another !== undefined) throw error
      throw new MaskError(mask, error)
    })
    const { low, high, brightness } = await lookOf(image, signal)
    await visit?.(files, image, truth)
    return {
      ...{ files, dims: image.dims, channels: image.channels, low, high, brightness },
      bytes: image.voxels.byteLength + truth.labels.length * (truth.objects === null ? 1 : 5),
      planes: planes.flatMap((plane) => {
        const grid = sliceGrid(image, plane)
        return grid === null ? [] : [{ grid, slices: countSlices(truth, grid) }]
      }),
      packed: files.masks.length > 1 ? packTruth(truth) : undefined,
      spacing: spacingOf(image),
      ...{ names: truth.names, overlap: truth.overlap, hidden: truth.hidden, unknown: truth.unknown },
      remarks: truth.remarks,
    }
  } finally {
    await image.voxels.close()
  }
}

async function lookOf(image: ImageVolume, signal: AbortSignal | undefined) {
  const { low, high } = await rangeOf(image, { signal })
  let sum = 0
  let count = 0
  for await (const piece of image.voxels.pieces({ signal })) {
    // Every 13th: a mean needs no more.
    for (let i = 0; i < piece.length; i += 13, count++)
      sum += ((piece[i] ?? 0) * image.slope + image.inter - low) / (high - low)
  }
  const mean = sum / Math.max(1, count)
  return { low, high, brightness: Number.isFinite(mean) ? mean : 0 }
}

function countSlices({ labels, dims }: Truth, grid: SliceGrid): ReadonlyMap<number, number>[] {
  const counts = Array.from({ length: grid.slices }, () => new Map<number, number>())
  if (grid.axis === null) {
    counts.forEach((count, k) => {
      for (const value of labelSlice(labels, dims, grid, k, 0)) if (value !== 0) add(count, value, 1)
    })
    return counts
  }
  const [nx, ny] = dims
  for (let i = 0; i < labels.length;) {
    const value = labels[i] ?? 0
    const x = i % nx
    // Labels come in runs: one look-up a run, unless slices lie across the rows.
    let end = i + 1
    if (grid.axis !== 0) while (end < i - x + nx && labels[end] === value) end++
    if (value !== 0) {
      const row = Math.floor(i / nx)
      const k = grid.axis === 0 ? x : grid.axis === 1 ? row % ny : Math.floor(row / ny)
      const count = counts[k]
      if (count !== undefined) add(count, value, end - i)
    }
    i = end
  }
  return counts
}

function add(counts: Map<number, number>, value: number, count: number): void {
  counts.set(value, (counts.get(value) ?? 0) + count)
}

function spacingOf({ dims, affine, spacing, spacingKnown }: ImageVolume): Surveyed['spacing'] {
  if (!spacingKnown) return null
  const view = planeViews(dims, affine, spacing)[0]
  if (view === undefined) return null
  return {
    plane: affine === null ? 'stored' : view.plane,
    inPlane: [view.columnSpacing, view.rowSpacing],
    slices: dims[view.sliceAxis] === 1 ? null : spacing[view.sliceAxis],
    samples: 1,
  }
}

/** What a person should know of the set as a whole, a sentence each. */
export function remarksOn(surveyed: readonly Surveyed[]): string[] {
  const remarks: string[] = []
  const overlapping = surveyed.filter(({ overlap }) => overlap > 0)
  if (overlapping.length > 0) {
    const pixels = overlapping.reduce((sum, { overlap }) => sum + overlap, 0)
    const names = overlapping
      .toSorted((a, b) => b.overlap - a.overlap)
      .slice(0, 3)
      .map(({ files }) => files.id)
    remarks.push(
      `Objects overlap in ${overlapping.length} of ${surveyed.length} cases, in ${pixels} ${pixels === 1 ? 'pixel' : 'pixels'} altogether (most in ${names.join(', ')}); each such pixel goes to the smaller object.`,
    )
  }
  const hidden = surveyed.filter(({ hidden: count }) => count > 0)
  if (hidden.length > 0) {
    const count = hidden.reduce((sum, each) => sum + each.hidden, 0)
    remarks.push(
      `${count} masks of objects are empty or covered by others, in ${hidden
        .map(({ files }) => files.id)
        .slice(0, 3)
        .join(', ')}.`,
    )
  }
  const unknown = new Set(surveyed.flatMap((each) => each.unknown))
  if (unknown.size > 0) {
    const values = [...unknown].sort((a, b) => a - b)
    const shown = values.length > 12 ? `${values.slice(0, 12).join(', ')} …` : values.join(', ')
    remarks.push(`Masks hold values that are no label of the recipe and count as background: ${shown}.`)
  }
  const moved = surveyed.flatMap((each) => each.remarks)
  remarks.push(...moved.slice(0, 5))
  if (moved.length > 5) remarks.push(`The same holds for ${moved.length - 5} more masks.`)
  return remarks
}

/** Size, colour and brightness, coarsely: pictures of one kind look alike. */
export function kindOf({ dims, channels, brightness }: Surveyed): string {
  const size = Math.round(Math.log2(Math.max(1, dims[0] * dims[1] * dims[2])))
  return `${channels}/${brightness < 0.35 ? 'dark' : brightness < 0.65 ? 'middle' : 'bright'}/${String(size).padStart(2, '0')}`
}

/** What a layout left out, as sentences with the names of the files. */
export function inSentences(left: readonly LeftFile[]): LeftFile[] {
  return left.map(({ file, reason }) => ({ file, reason: `${path.basename(file)} ${reason}.` }))
}
