import { randomUUID } from 'node:crypto'
import { CodedError } from '../../core/contract/errors.ts'
import type { MethodParams, MethodResult } from '../../core/contract/methods.ts'
import { deltaRuns, wholeBox } from '../../core/labelmap/index.ts'
import {
  compareWithImage,
  countLabels,
  readMask,
  resampleMask,
  type ImageVolume,
  type LabelArray,
  type LoadedMask,
} from '../../imaging/index.ts'
import type { Cases } from '../project/cases.ts'
import type { Labels } from '../project/labels.ts'
import type { Volumes } from '../volume/volumes.ts'
import type { Annotations } from './annotations.ts'
import type { CaseMask, Masks } from './masks.ts'
import { slicesOfRuns } from './sliceSets.ts'
import { historyOf } from './words.ts'

export interface ImportParts {
  readonly cases: Cases
  readonly labels: Labels
  readonly volumes: Volumes
  readonly masks: Masks
  readonly annotations: Annotations
}

/** A file names more labels than anybody looks through. */
const SHOWN = 1000

/** Reads a mask and holds it against the image of a case, without a change. Throws what `readMask` throws. */
export async function lookAtMask(
  parts: ImportParts,
  caseId: string,
  path: string,
  signal: AbortSignal,
): Promise<MethodResult<'mask.look'>> {
  return withMask(parts, caseId, path, signal, (mask, image) => {
    const { fit, difference, canResample } = compareWithImage(mask, image)
    const labels = [...countLabels(mask.labels)].slice(0, SHOWN).map(([value, voxels]) => ({
      value,
      name: mask.names.get(value) ?? null,
      voxels,
    }))
    const { format, dims } = mask
    return {
      format,
      dims,
      labels,
      fit,
      difference: [difference, ...mask.warnings].filter(Boolean).join(' ') || null,
      canResample,
    }
  })
}

/**
 * Writes a mask from a file into that of a case as one undoable stroke; see `mask.import` for what is refused. With `keep` the whole mask
 * becomes that of the file, background too, and slices with a label count as corrected; with a label, its voxels are added to
 * what is there. Labels new to the project are added in the same transaction, called as the file says.
 */
export async function importMask(
  parts: ImportParts,
  { caseId, resample, labels: meaning }: Pick<MethodParams<'mask.import'>, 'caseId' | 'resample' | 'labels'>,
  path: string,
  context: { signal: AbortSignal; origin: string | null },
): Promise<MethodResult<'mask.import'>> {
  const { labels, cases } = parts
  if (meaning !== 'keep') labels.get(meaning)
  const { selection, name } = cases.get(caseId)
  const loaded = await withMask(parts, caseId, path, context.signal, (mask, image) => ({
    labels: onImage(mask, image, resample),
    names: mask.names,
  }))
  const values = meaning === 'keep' ? keptValues(loaded.labels) : [meaning]
  return parts.masks.use(caseId, (mask) => {
    // It was put where the image lay then.
    if (cases.get(caseId).selection.affine !== selection.affine) {
      throw new CodedError('conflict', `The position of "${name}" was changed meanwhile; import the mask again.`)
    }
    const after = planAfter(labels, mask, loaded.labels, meaning)
    return commit(parts, mask, { ...after, values, names: loaded.names, meaning, origin: context.origin })
  })
}

/**
 * Makes `imported`, in the voxel order of the image, the whole mask of a case: its truth, as a data set has it. Throws
 * CodedError('bad-request') where the extent is another.
 */
export async function importTruth(
  parts: ImportParts,
  caseId: string,
  imported: LabelArray,
  names: ReadonlyMap<number, string>,
): Promise<void> {
  const { labels, cases } = parts
  await parts.masks.use(caseId, (mask) => {
    if (imported.length !== mask.labels.length) {
      const { name } = cases.get(caseId)
      throw new CodedError('bad-request', `The mask of "${name}" is of another size than the image.`)
    }
    const after = planAfter(labels, mask, imported, 'keep')
    const values = keptValues(imported)
    commit(parts, mask, { ...after, values, names, meaning: 'keep', origin: null })
  })
}

async function withMask<T>(
  { cases, volumes }: ImportParts,
  caseId: string,
  path: string,
  signal: AbortSignal,
  use: (mask: LoadedMask, image: ImageVolume) => T,
): Promise<T> {
  const { stem, name } = cases.get(caseId)
  return volumes.use(caseId, async (image, ended) => {
    const mask = await readMask(path, { image, stems: [stem, name], signal: AbortSignal.any([signal, ended]) })
    return use(mask, image)
  })
}

/** The labels in the voxel order of the image. Throws CodedError('bad-request') where they do not fit. */
function onImage(mask: LoadedMask, image: ImageVolume, resample: boolean): LabelArray {
  const { fit, difference, canResample } = compareWithImage(mask, image)
  if (fit === 'same') return difference === null ? mask.labels : resampleMask(mask, image)
  if (resample && canResample) {
    const labels = resampleMask(mask, image)
    if (!isEmpty(labels) || isEmpty(mask.labels)) return labels
    throw new CodedError('bad-request', 'Nothing of the mask lies on the image; choose the mask of this image.')
  }
  const remedy = canResample ? 'let it be resampled, or choose the mask of this image' : 'choose the mask of this image'
  throw new CodedError(
    'bad-request',
    `The mask does not fit: ${lowerFirst(difference ?? 'it has another extent.').replace(/\.$/, '')}; ${remedy}.`,
  )
}

function isEmpty(labels: LabelArray): boolean {
  return !labels.some((label) => label > 0)
}

function lowerFirst(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1)
}

/** The values that occur. Throws CodedError('bad-request') for one that a project cannot hold. */
function keptValues(labels: LabelArray): number[] {
  const values = [...countLabels(labels).keys()]
  const largest = values.at(-1) ?? 0
  if (largest <= 255) return values
  throw new CodedError(
    'bad-request',
    `The mask holds ${values.length} different numbers, up to ${largest}, and a project 255 labels; import it as one label.`,
  )
}

interface After {
  readonly labels: Uint8Array
  readonly keptLockedVoxels: number
}

/** The mask as it will be. Locked labels neither give nor gain a voxel. */
function planAfter(labels: Labels, mask: CaseMask, imported: LabelArray, meaning: 'keep' | number): After {
  const locked = Uint8Array.from({ length: 256 }, (_, value) => Number(labels.isLocked(value)))
  const after = mask.labels.slice()
  let keptLockedVoxels = 0
  for (let i = 0; i < after.length; i++) {
    const value = imported[i] ?? 0
    if (value === 0 && meaning !== 'keep') continue
    const wanted = meaning === 'keep' ? value : meaning
    const before = after[i] ?? 0
    if (wanted === before) continue
    if (locked[before] === 1 || locked[wanted] === 1) keptLockedVoxels++
    else after[i] = wanted
  }
  return { labels: after, keptLockedVoxels }
}

function commit(
  { cases, labels, annotations }: ImportParts,
  mask: CaseMask,
  plan: After & {
    readonly values: readonly number[]
    readonly names: ReadonlyMap<number, string>
    readonly meaning: 'keep' | number
    readonly origin: string | null
  },
): MethodResult<'mask.import'> {
  const box = wholeBox(mask.dims)
  const runs = deltaRuns(mask.labels, plan.labels)
  // Where only locked labels stand in the way of a label, it gains no voxel and is not needed.
  const gained = labelsGained(runs)
  const missing = plan.values.filter((value) => gained.has(value) && !labels.isCurrent(value))
  const { keptLockedVoxels } = plan
  let changedVoxels = 0
  for (let r = 1; r < runs.length; r += 4) changedVoxels += runs[r] ?? 0
  if (runs.length === 0) {
    const history = historyOf(mask, labels)
    return { revision: mask.revision, delta: null, history, changedVoxels, keptLockedVoxels, newLabels: [] }
  }
  const { trainingAxis } = cases.get(mask.caseId)
  const whole = plan.meaning === 'keep'
  const applied = annotations.append(
    mask,
    {
      id: randomUUID(),
      kind: 'import',
      label: plan.values[0] ?? 0,
      axis: null,
      baseRevision: mask.revision,
      box,
      runs,
      // A whole mask is worth learning from, and not to be overwritten by a prediction. One label says nothing of the others.
      slices: whole ? slicesWithLabels(plan.labels, mask, trainingAxis) : slicesOfRuns(box, runs, trainingAxis),
      counter: whole ? 'own' : 'none',
      target: null,
      also: () => {
        for (const value of missing) labels.adopt(value, plan.names.get(value) ?? null)
      },
    },
    plan.origin,
  )
  const newLabels = missing.map((value) => labels.get(value))
  return { ...applied, changedVoxels, keptLockedVoxels, newLabels }
}

/** Indices across `axis` of the slices that hold a label, ascending. */
function slicesWithLabels(labels: Uint8Array, { dims }: CaseMask, axis: 0 | 1 | 2): number[] {
  const hit = new Uint8Array(dims[axis])
  const stride = axis === 0 ? 1 : axis === 1 ? dims[0] : dims[0] * dims[1]
  for (let i = 0; i < labels.length; i++) if (labels[i] !== 0) hit[Math.floor(i / stride) % dims[axis]] = 1
  return [...hit.keys()].filter((index) => hit[index] === 1)
}

function labelsGained(runs: Uint32Array): Set<number> {
  const gained = new Set<number>()
  for (let r = 3; r < runs.length; r += 4) gained.add(runs[r] ?? 0)
  return gained
}
