import { inflateRawSync } from 'node:zlib'
import type { ComputeMethod, ComputeSlice, KeptSample, ModelCard, TrainingSample } from '../../core/contract/compute.ts'
import { learningComputeMethods } from '../../core/contract/computeLearning.ts'
import { CodedError } from '../../core/contract/errors.ts'
import type { Dims } from '../../core/contract/schemas.ts'
import { applyDelta, extractSlice } from '../../core/labelmap/index.ts'
import type { ComputeCallOptions, ComputeParams, ComputeResult } from '../compute/port.ts'
import { labelsForCompute } from '../volume/computeSlices.ts'

type LearningMethod = keyof typeof learningComputeMethods
type Layout = ComputeParams<'openCase'>['layout']

/** What compute keeps of a case. */
export interface ResidentCase {
  readonly dims: Dims
  readonly layout: Layout
  revision: number
  /** In file order. */
  readonly labels: Uint8Array<ArrayBuffer>
  readonly slices: Map<number, ComputeSlice>
}

interface LiveTraining {
  readonly modelId: string
  readonly labels: ModelCard['labels']
  steps: number
}

export interface FakeLearningParts {
  /** Which label a pixel gets, as the fake predicts. */
  readonly label: (scaled: number, modelDir: string) => number
  readonly samples: (slice: ComputeSlice) => number[]
  readonly saveModel: (dir: string, card: Pick<ModelCard, 'id' | 'name' | 'labels'>) => ModelCard
}

const methods: readonly string[] = [
  ...['openCase', 'patchCase', 'keepSlices', 'closeCase', 'liveOpen', 'liveRun', 'liveSave', 'liveClose'],
  ...['score', 'examine', 'animate', 'chart'],
] satisfies readonly string[]

/** What compute keeps of cases and does with it, without a network: it thresholds, and is as unsure as a test says. */
export class FakeLearning {
  readonly asked: { readonly method: LearningMethod; readonly params: unknown }[] = []
  /** By case: a copy of the mask, as patched by strokes. */
  readonly resident = new Map<string, ResidentCase>()
  live: LiveTraining | null = null
  /** Called before each answer; may wait or throw. */
  before: (method: LearningMethod, params: unknown, signal: AbortSignal | undefined) => Promise<void> = async () =>
    undefined
  /** Called by `liveRun` after each of its steps; one that stays within the time it was given does three. */
  afterStep: (step: number, signal: AbortSignal | undefined) => Promise<void> = async () => undefined
  /** What a live training says of itself after so many steps. */
  loss: (steps: number) => number = (steps) => 1 / (1 + steps)
  dice: (steps: number) => number | null = (steps) => steps / (1 + steps)
  /** How unsure a model is of a pixel, 0 to 255. */
  entropy: (scaled: number, modelDir: string) => number = (scaled) => (scaled > 30 && scaled <= 50 ? 128 : 0)
  /** What the deepest layer says of a slice: alike slices have alike ones. */
  features: (slice: ComputeSlice, modelDir: string) => number[] = ({ index }) => [Math.cos(index), Math.sin(index)]
  readonly #parts: FakeLearningParts

  constructor(parts: FakeLearningParts) {
    this.#parts = parts
  }

  knows(method: ComputeMethod): method is LearningMethod {
    return methods.includes(method)
  }

  /** The calls of one method, in order. */
  calls<M extends LearningMethod>(method: M): ComputeParams<M>[] {
    return this.asked.flatMap((call) => (call.method === method ? [call.params as ComputeParams<M>] : []))
  }

  /** As a process that starts anew: nothing is kept. */
  forget(): void {
    this.resident.clear()
    this.live = null
  }

  /** Throws as compute does where a kept sample is not kept, image or labels. Gives them as samples. */
  resolve(kept: readonly KeptSample[] | undefined): TrainingSample[] {
    return (kept ?? []).map((sample) => {
      const known = this.resident.get(sample.caseId)
      const slice = known?.slices.get(sample.index)
      if (known === undefined || slice === undefined) throw notResident()
      return { ...slice, ...sample, labels: truthOf(known, sample.index) }
    })
  }

  async answer(method: LearningMethod, params: unknown, options: ComputeCallOptions): Promise<unknown> {
    this.asked.push({ method, params })
    await this.before(method, params, options.signal)
    // A training between strokes that is cancelled answers what it did until then.
    if (method !== 'liveRun') refuseAborted(options.signal)
    switch (method) {
      case 'openCase':
        return this.#openCase(params as ComputeParams<'openCase'>)
      case 'patchCase':
        return this.#patchCase(params as ComputeParams<'patchCase'>)
      case 'keepSlices':
        return this.#keepSlices(params as ComputeParams<'keepSlices'>)
      case 'closeCase':
        this.resident.delete((params as ComputeParams<'closeCase'>).caseId)
        return {}
      case 'liveOpen':
        return this.#liveOpen(params as ComputeParams<'liveOpen'>)
      case 'liveRun':
        return this.#liveRun(params as ComputeParams<'liveRun'>, options)
      case 'liveSave':
        return this.#liveSave(params as ComputeParams<'liveSave'>)
      case 'liveClose':
        if (this.live?.modelId === (params as ComputeParams<'liveClose'>).modelId) this.live = null
        return {}
      case 'score':
        return this.#score(params as ComputeParams<'score'>)
      case 'examine':
        return this.#examine(params as ComputeParams<'examine'>)
      case 'animate':
        return { gif: new TextEncoder().encode('GIF89a') }
      case 'chart':
        return { svg: '<svg xmlns="http://www.w3.org/2000/svg"/>' }
    }
  }

  #openCase(params: ComputeParams<'openCase'>): ComputeResult<'openCase'> {
    const { caseId, dims, layout, revision } = params
    const labels = new Uint8Array(inflateRawSync(params.labels))
    if (labels.length !== dims[0] * dims[1] * dims[2]) throw new CodedError('bad-request', 'labels of another extent')
    this.resident.set(caseId, { dims, layout, revision, labels, slices: new Map() })
    return {}
  }

  #patchCase(params: ComputeParams<'patchCase'>): ComputeResult<'patchCase'> {
    const { caseId, revision, box, runs } = learningComputeMethods.patchCase.params.parse(params)
    const known = this.resident.get(caseId)
    if (known === undefined || revision > known.revision + 1) throw notResident()
    if (revision === known.revision + 1) {
      applyDelta(known.labels, known.dims, { box, runs })
      known.revision = revision
    }
    return { revision: known.revision }
  }

  #keepSlices({ caseId, slices }: ComputeParams<'keepSlices'>): ComputeResult<'keepSlices'> {
    const known = this.resident.get(caseId)
    if (known === undefined) throw notResident()
    for (const slice of slices) known.slices.set(slice.index, slice)
    return {}
  }

  #liveOpen({ modelId, labels }: ComputeParams<'liveOpen'>): ComputeResult<'liveOpen'> {
    this.live = { modelId, labels, steps: 0 }
    return {}
  }

  async #liveRun(params: ComputeParams<'liveRun'>, { signal }: ComputeCallOptions): Promise<ComputeResult<'liveRun'>> {
    const { modelId, lessons, show } = params
    const { live } = this
    if (live?.modelId !== modelId) throw notResident()
    if (lessons !== null) this.resolve(lessons.kept)
    const from = live.steps
    while (live.steps < from + 3 && signal?.aborted !== true) {
      live.steps++
      await this.afterStep(live.steps, signal)
    }
    const shown = show === null || signal?.aborted === true ? null : this.#look(show, modelId)
    return {
      steps: live.steps - from,
      loss: live.steps === from ? null : this.loss(live.steps),
      dice: live.steps === from ? null : this.dice(live.steps),
      shown: shown === null || show === null ? null : { index: show.index, ...shown },
    }
  }

  #liveSave({ modelId: id, outDir, name }: ComputeParams<'liveSave'>): ComputeResult<'liveSave'> {
    if (this.live?.modelId !== id) throw notResident()
    return { card: this.#parts.saveModel(outDir, { id, name, labels: this.live.labels }) }
  }

  #score({ modelDir, samples = [], kept }: ComputeParams<'score'>): ComputeResult<'score'> {
    const slices = [...samples, ...this.resolve(kept)].map((sample) => {
      const { labels } = this.#look(sample, modelDir)
      return overlapsOf(labels, sample.labels, sample.trusted)
    })
    return { slices, seconds: 0.01 }
  }

  #examine({ modelDir, slices, disagreement = false }: ComputeParams<'examine'>): ComputeResult<'examine'> {
    const seen = slices.map((slice) => {
      const { labels, entropy } = this.#look(slice, modelDir)
      const unsure = entropy.filter((value) => value > 0)
      const score = unsure.reduce((sum, value) => sum + value / 255, 0) / Math.max(1, unsure.length)
      const features = Float32Array.from(this.features(slice, modelDir))
      return { index: slice.index, labels, entropy, score, disagreement: disagreement ? score / 2 : null, features }
    })
    return { slices: seen }
  }

  #look(slice: ComputeSlice, modelDir: string): Record<'labels' | 'entropy', Uint8Array<ArrayBuffer>> {
    const scaled = this.#parts.samples(slice).map((value) => value * slice.slope + slice.inter)
    return {
      labels: Uint8Array.from(scaled, (value) => this.#parts.label(value, modelDir)),
      entropy: Uint8Array.from(scaled, (value) => this.entropy(value, modelDir)),
    }
  }
}

/** The labels of a slice as the network sees them. */
function truthOf({ labels, dims, layout }: ResidentCase, index: number): Uint8Array<ArrayBuffer> {
  return labelsForCompute(extractSlice(labels, dims, layout.sliceAxis, index), layout)
}

function overlapsOf(
  predicted: Uint8Array,
  truth: Uint8Array,
  trusted: Uint8Array | undefined,
): ComputeResult<'score'>['slices'][number] {
  const counts = new Map<number, { both: number; predicted: number; truth: number }>()
  const of = (label: number): { both: number; predicted: number; truth: number } => {
    const known = counts.get(label) ?? { both: 0, predicted: 0, truth: 0 }
    counts.set(label, known)
    return known
  }
  let changed = 0
  truth.forEach((label, i) => {
    if (trusted !== undefined && trusted[i] !== 1) return
    const found = predicted[i] ?? 0
    of(label).truth++
    of(found).predicted++
    if (found === label) of(label).both++
    else changed++
  })
  const overlaps = [...counts].sort(([a], [b]) => a - b).map(([label, count]) => ({ label, ...count }))
  return { overlaps, changed }
}

function notResident(): CodedError {
  return new CodedError('not-resident', 'This is not kept (any more).')
}

function refuseAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new CodedError('cancelled', 'This was cancelled.')
}
