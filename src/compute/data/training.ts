import { CodedError } from '../../core/contract/errors.ts'
import { createBatchMaker, patchesOf } from './batches.ts'
import { openCase, readTruth } from './caseReader.ts'
import { digestOf } from './digest.ts'
import { countClasses, fitStatistics } from './fit.ts'
import { lookThrough } from './lookThrough.ts'
import { networkInput } from './prepare.ts'
import { networkSize } from './resize.ts'
import { createSliceReader } from './sliceReader.ts'
import { balancedWeights } from './weightMap.ts'
import { createBatchPool } from './worker/pool.ts'
import type { RecipeOrder } from '../../core/contract/compute.ts'
import type { DataReport, RecipeSettings } from '../../core/contract/recipes.ts'
import type { BatchOptions, BatchStream, SliceRef, TrainingData } from '../recipes/types.ts'
import type { PartCase } from './partition.ts'
import type { PlanSlice, ReadingPlan } from './plan.ts'
import type { SlicePlane } from './planes.ts'
import type { SurveyOptions } from './survey.ts'
import type { BatchPool } from './worker/pool.ts'

/** The same on every computer: what is drawn in turn, because it does not fit, hangs on it, and with it what is learned. */
const CACHE_BYTES = 2 ** 29

export interface OpenOptions extends SurveyOptions {
  /** Bytes of pictures and volumes that a reader may keep; there are as many readers as threads, and one. */
  readonly cacheBytes?: number
  /** Threads that draw batches ahead; 0: they are drawn where they are asked for. */
  readonly workers?: number
}

/** Opens the data of a training. Throws as lookThrough does. */
export async function openTrainingData(order: RecipeOrder, options: OpenOptions = {}): Promise<TrainingData> {
  try {
    return await open(order, options)
  } catch (error) {
    throw options.signal?.aborted === true
      ? new CodedError('cancelled', 'The data were not looked through to the end.')
      : error
  }
}

async function open(order: RecipeOrder, options: OpenOptions): Promise<TrainingData> {
  const { settings } = order
  const { signal } = options
  const { cases, report, rules, planes } = await lookThrough(order, options)
  const base: Omit<ReadingPlan, 'cases' | 'slices' | 'input' | 'weights'> = {
    ...{ rules, labels: report.labels.map(({ value }) => value), resize: settings.input.resize },
    channels: settings.input.colour === 'rgb' ? 3 : 1,
    border: settings.instances?.kind === 'border' ? settings.instances.border : null,
    cacheBytes: options.cacheBytes ?? CACHE_BYTES,
  }
  const outputChannels =
    (settings.loss.output === 'softmax' ? 1 : 0) + base.labels.length + (base.border === null ? 0 : 1)
  const learnedCases = cases.filter(({ part }) => part === 'train')
  const learned = planOf(learnedCases, base, planes)
  if (learned.slices.length === 0) throw nothingLeft(order.dataDir, report.left)
  const input = networkInput(
    settings.input,
    settings.input.normalization.kind === 'fitted'
      ? await fitStatistics(
          { channels: base.channels, cases: learnedCases },
          networkInput({ ...settings.input, normalization: { kind: 'none' } }, null).colour,
          signal,
        )
      : null,
  )
  const weights = await weightsOf(settings, { ...base, ...learned, input, weights: null }, signal)
  const training: ReadingPlan = { ...base, ...learned, input, weights }
  const whole: ReadingPlan = { ...training, ...planOf(cases, base, planes) }
  const reader = createSliceReader(whole)
  const refs = refsOf(cases, whole)
  const byId = new Map(cases.map((each) => [each.id, each]))
  const here = new Set<BatchStream>()
  let pool: BatchPool | null | undefined

  return {
    report,
    cases: cases.map(({ found: _, ...each }) => each),
    labels: report.labels,
    outputChannels,
    ...{ channels: base.channels, input, spacing: spacingOf(cases, planes) },
    data: {
      sha256: await digestOf(learnedCases, signal),
      ...{ samples: training.slices.length, corrected: training.slices.length, replay: 0 },
    },
    slices: (part) => refs.filter((ref) => ref.part === part),
    slice: (ref) => reader.slice(refs.indexOf(ref)),
    async truth(caseId) {
      const wanted = byId.get(caseId)
      if (wanted === undefined) throw new RangeError(`There is no case ${caseId}.`)
      const image = await openCase(wanted, signal)
      try {
        const { labels, objects } = await readTruth(
          { ...wanted.found.files, packed: wanted.found.packed },
          image,
          rules,
          signal,
        )
        return { labels, objects }
      } finally {
        await image.voxels.close()
      }
    },
    batches(wanted) {
      pool ??= createBatchPool(training, options.workers ?? 1)
      if (pool !== null) return pool.stream(wanted)
      const stream = batchesHere(training, wanted)
      here.add(stream)
      return stream
    },
    batchesPerEpoch({ batch, patch }) {
      return Math.ceil(training.slices.reduce((sum, slice) => sum + patchesOf(slice, patch), 0) / batch)
    },
    async close() {
      await Promise.all([...here].map((stream) => stream.close()))
      await pool?.close()
      await reader.close()
    },
  }
}

/** All that is left is held out, or has no slice in the planes that are asked for. */
function nothingLeft(dataDir: string, left: DataReport['left']): CodedError {
  return new CodedError(
    'nothing-to-train',
    `Nothing in ${dataDir} is left to learn from: its cases are held out, left out, or have no slice in the planes that are asked for; add cases, or change split.holdout or planes.`,
    { detail: left.map(({ file, reason }) => `${file}: ${reason}`).join('\n') },
  )
}

/** Batches drawn where they are asked for. */
function batchesHere(plan: ReadingPlan, options: BatchOptions): BatchStream {
  const reader = createSliceReader(plan)
  const maker = createBatchMaker(plan, reader, options)
  let step = 0
  return {
    async next() {
      return step < options.steps ? maker.batch(step++) : null
    },
    close: () => reader.close(),
  }
}

/** The slices of some cases, and what it takes to read them. */
function planOf(
  cases: readonly PartCase[],
  { labels, resize }: Pick<ReadingPlan, 'labels' | 'resize'>,
  planes: readonly SlicePlane[],
): Pick<ReadingPlan, 'cases' | 'slices'> {
  const slices = cases.flatMap(({ found, only }, at) =>
    found.planes
      .filter(({ grid }) => planes.includes(grid.plane))
      .flatMap(({ grid, slices: counted }) => {
        const { width, height } = networkSize(grid, resize)
        const wanted = only?.indices ?? counted.map((_, index) => index)
        return wanted.map((index): PlanSlice => ({
          ...{ case: at, plane: grid.plane, index, width, height },
          counts: labels.map((value) => counted[index]?.get(value) ?? 0),
        }))
      }),
  )
  return {
    cases: cases.map(({ id, image, masks, found: { files, low, high, packed, bytes } }) => ({
      ...{ id, image, masks, low, high, packed, bytes },
      numbered: files.numbered,
    })),
    slices,
  }
}

function refsOf(cases: readonly PartCase[], { slices }: ReadingPlan): SliceRef[] {
  return slices.map(({ case: at, ...slice }) => ({
    caseId: cases[at]?.id ?? '',
    part: cases[at]?.part ?? 'train',
    index: slice.index,
    plane: slice.plane,
    width: slice.width,
    height: slice.height,
  }))
}

async function weightsOf(
  { loss }: RecipeSettings,
  plan: ReadingPlan,
  signal: AbortSignal | undefined,
): Promise<ReadingPlan['weights']> {
  if (loss.weightMap === null) return null
  const reader = createSliceReader(plan)
  try {
    const classes = 1 + plan.labels.length + (plan.border === null ? 0 : 1)
    const counts = await countClasses(reader, plan.slices.length, classes, signal)
    return { ...loss.weightMap, classWeights: balancedWeights(counts) }
  } finally {
    await reader.close()
  }
}

/** Medians over the cases that were learned from; null where none says it. */
function spacingOf(cases: readonly PartCase[], planes: readonly SlicePlane[]): TrainingData['spacing'] {
  const known = cases.flatMap(({ part, found }) => (part === 'train' && found.spacing !== null ? [found.spacing] : []))
  const [first] = known
  if (first === undefined) return null
  const agree = planes.length === 1 && known.every(({ plane }) => plane === first.plane)
  const gaps = known.flatMap(({ slices }) => (slices === null ? [] : [slices]))
  return {
    plane: agree ? first.plane : 'mixed',
    inPlane: [median(known.map(({ inPlane }) => inPlane[0])), median(known.map(({ inPlane }) => inPlane[1]))],
    slices: gaps.length === 0 ? null : median(gaps),
    samples: known.length,
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle)] ?? NaN)) / 2
}
