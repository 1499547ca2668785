import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type {
  ComputeMethod,
  ComputeProgress,
  ComputeSlice,
  ModelCard,
  NetworkFacts,
} from '../../core/contract/compute.ts'
import { PERCENTILE_INPUT } from '../../core/contract/compute.ts'
import { CodedError } from '../../core/contract/errors.ts'
import type { ComputeSettings, ComputeStatus } from '../../core/contract/schemas.ts'
import { FakeLearning } from './fakeLearning.ts'
import { FakeRecipes } from './fakeRecipes.ts'
import type { ComputeCallOptions, ComputeNotice, ComputeParams, ComputePort, ComputeResult } from '../compute/port.ts'

type TrainParams = ComputeParams<'train'>
type PredictParams = ComputeParams<'predict'>
type ImportParams = ComputeParams<'importNetwork'>

/** A compute process that thresholds instead of learning, and does what a test tells it to. */
export class FakeCompute implements ComputePort {
  readonly predicted: PredictParams[] = []
  readonly trained: TrainParams[] = []
  /** Called before each answer; may wait or throw. */
  beforePredict: (params: PredictParams, signal: AbortSignal | undefined) => Promise<void> = async () => undefined
  beforeFirstStep: () => Promise<void> = async () => undefined
  beforeTrainingEnds: (params: TrainParams, signal: AbortSignal | undefined) => Promise<void> = async () => undefined
  /** How often a training tells its steps: again from the first where another rung had to take over. */
  attempts = 1
  /** What its cards say of a training. */
  training: ModelCard['training'] = null
  /** Which label a pixel gets. */
  label: (scaled: number, modelDir: string) => number = (scaled) => (scaled > 50 ? 1 : 0)
  closed = false
  /** What was configured last; `beforeConfigured` may wait or refuse. */
  configured: ComputeSettings = { backend: 'auto', threads: 0 }
  beforeConfigured: (settings: ComputeSettings) => Promise<void> = async () => undefined
  /** The reports asked for; `report` is the answer to each. */
  readonly examined: ComputeParams<'doctor'>[] = []
  report: ComputeResult<'doctor'> | null = null
  beforeReport: () => Promise<void> = async () => undefined
  /** What every ONNX file is; may throw. */
  facts: () => NetworkFacts = someFacts
  readonly imported: ImportParams[] = []
  /** What it does with recipes. */
  readonly recipes = new FakeRecipes()
  /** What it keeps of cases, and does between strokes. */
  readonly learning = new FakeLearning({
    label: (scaled, modelDir) => this.label(scaled, modelDir),
    samples: samplesOf,
    saveModel: (dir, known) => {
      const card = fakeCard(known)
      writeModelFolder(dir, card)
      return card
    },
  })
  beforeImport: (params: ImportParams) => Promise<void> = async () => undefined

  readonly #noticeListeners = new Set<(notice: ComputeNotice) => void>()
  readonly #listeners = new Set<(status: ComputeStatus) => void>()
  #status: ComputeStatus = { state: 'ready', backend: 'fake', threads: 1, device: null, message: null, restarts: 0 }

  status(): ComputeStatus {
    return this.#status
  }

  onStatus(listener: (status: ComputeStatus) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  onNotice(listener: (notice: ComputeNotice) => void): () => void {
    this.#noticeListeners.add(listener)
    return () => this.#noticeListeners.delete(listener)
  }

  notice(notice: ComputeNotice): void {
    for (const listener of this.#noticeListeners) listener(notice)
  }

  settings(): ReturnType<ComputePort['settings']> {
    const { configured } = this
    return { kept: configured, inForce: configured, overruled: { backend: null, threads: null } }
  }

  async configure(settings: ComputeSettings): Promise<void> {
    await this.beforeConfigured(settings)
    this.configured = settings
  }

  /** As after a crash: what was kept is gone, and everybody is told. */
  restart(): void {
    this.learning.forget()
    this.setStatus({ restarts: this.#status.restarts + 1 })
  }

  setStatus(change: Partial<ComputeStatus>): void {
    this.#status = { ...this.#status, ...change }
    for (const listener of this.#listeners) listener(this.#status)
  }

  async call<M extends ComputeMethod>(
    method: M,
    params: ComputeParams<M>,
    options: ComputeCallOptions = {},
  ): Promise<ComputeResult<M>> {
    const answer = await this.#answer(method, params, options)
    // The method decides the type of the answer; a lookup by a generic key cannot tell TypeScript so.
    return answer as ComputeResult<M>
  }

  async close(): Promise<void> {
    this.closed = true
  }

  async #answer(method: ComputeMethod, params: unknown, options: ComputeCallOptions): Promise<unknown> {
    if (method === 'predict') return this.#predict(params as PredictParams, options)
    if (method === 'train') return this.#train(params as TrainParams, options)
    if (method === 'doctor') return this.#doctor(params as ComputeParams<'doctor'>)
    if (method === 'inspectNetwork') return this.facts()
    if (method === 'importNetwork') return this.#import(params as ImportParams)
    if (this.learning.knows(method)) return this.learning.answer(method, params, options)
    if (this.recipes.knows(method)) return this.recipes.answer(method, params, options)
    throw new CodedError('compute-failed', `the fake does not know ${method}`)
  }

  async #doctor(params: ComputeParams<'doctor'>): Promise<ComputeResult<'doctor'>> {
    this.examined.push(params)
    await this.beforeReport()
    if (this.report === null) throw new CodedError('compute-failed', 'the fake has no report')
    return this.report
  }

  async #import(params: ImportParams): Promise<ComputeResult<'importNetwork'>> {
    this.imported.push(params)
    await this.beforeImport(params)
    const { modelId: id, meaning, values, facts, outDir } = params
    const labels = meaning.classes.map((name, at) => ({ value: values[at] ?? 0, name }))
    const card = { ...fakeCard({ id, name: meaning.name, labels }), format: 3 as const, onnx: facts.use }
    mkdirSync(outDir, { recursive: true })
    writeFileSync(join(outDir, 'model.onnx'), '')
    writeFileSync(join(outDir, 'card.json'), JSON.stringify(card))
    return { card, maxDifference: 0 }
  }

  async #predict(params: PredictParams, { signal, onProgress }: ComputeCallOptions): Promise<ComputeResult<'predict'>> {
    this.predicted.push(params)
    onProgress?.({ step: 250, steps: 1000, point: null, secondsLeft: null })
    await this.beforePredict(params, signal)
    refuseAborted(signal)
    const slices = params.slices.map((slice) => {
      const scaled = samplesOf(slice).map((value) => value * slice.slope + slice.inter)
      const labels = Uint8Array.from(scaled, (value) => this.label(value, params.modelDir))
      if (params.entropy !== true) return { index: slice.index, labels }
      const entropy = Uint8Array.from(scaled, (value) => this.learning.entropy(value, params.modelDir))
      return { index: slice.index, labels, entropy }
    })
    return { slices, seconds: 0.01 }
  }

  async #train(params: TrainParams, { signal, onProgress }: ComputeCallOptions): Promise<ComputeResult<'train'>> {
    this.trained.push(params)
    this.learning.resolve(params.kept)
    await this.beforeFirstStep()
    for (let at = 0; at < 3 * this.attempts; at++) {
      const step = (at % 3) + 1
      const progress: ComputeProgress = {
        step,
        steps: 3,
        point: { step, loss: 1 / step, dice: step / 4 },
        secondsLeft: 3 - step,
      }
      onProgress?.(progress)
    }
    await this.beforeTrainingEnds(params, signal)
    refuseAborted(signal)
    const card = fakeCard({ id: params.modelId, name: params.name, labels: params.labels })
    const trained = { ...card, training: this.training }
    writeModelFolder(params.outDir, trained)
    return { card: trained }
  }
}

/** A network of two classes and background that takes grey pictures of any size. */
export function someFacts(): NetworkFacts {
  return {
    ...{ sha256: '0'.repeat(64), bytes: 7, parameters: 12, inputChannels: 1, step: 4, base: 8 },
    use: {
      input: { name: 'image', layout: 'channels-first' },
      output: { name: 'logits', layout: 'channels-first', channels: 3 },
      ...{ scores: 'logits', classes: 'exclusive', size: null, single: false, reach: 20 },
      ...{ bytesPerPixel: 100, pixelsPerSecond: 1e6, opset: 17, producer: 'a test' },
    },
    stated: {},
    remarks: [],
    sample: { width: 1, height: 1, values: [0] },
  }
}

export function fakeCard(known: Pick<ModelCard, 'id' | 'name' | 'labels'>): ModelCard {
  return {
    format: 2,
    parentId: null,
    createdAt: '2026-01-01T00:00:00.000Z',
    background: { channel: 0, value: 0 },
    architecture: { name: 'fake', levels: 1, base: 1, inputChannels: 1, step: 2 },
    parameters: 7,
    input: PERCENTILE_INPUT,
    spacing: null,
    recipe: null,
    data: null,
    training: null,
    run: null,
    versions: null,
    checksums: null,
    ...known,
  }
}

export function writeModelFolder(dir: string, card: ModelCard): void {
  mkdirSync(dir, { recursive: true })
  writeFileSync(join(dir, 'model.json'), '{}')
  writeFileSync(join(dir, 'weights.bin'), '')
  writeFileSync(join(dir, 'card.json'), JSON.stringify(card))
}

/** The fixtures hold int16 volumes. */
function samplesOf(slice: ComputeSlice): number[] {
  const copy = slice.data.slice()
  return [...(slice.voxelType === 'int16' ? new Int16Array(copy.buffer) : copy)]
}

function refuseAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new CodedError('cancelled', 'This was cancelled.')
}
