import {
  CodedError,
  type CaseDetail,
  type CaseSummary,
  type DoctorReport,
  type EventName,
  type EventPayload,
  type ImageChoices,
  type Job,
  type Label,
  type LiveState,
  type MaskLook,
  type MethodName,
  type MethodParams,
  type MethodResult,
  type ModelSummary,
  type Project,
  type Queue,
  type QueuedSlice,
} from '../../../core/contract/index.ts'
import type { BackendClient, ConnectionState } from '../../../core/rpc/index.ts'

type Answers = {
  [M in MethodName]?: (params: MethodParams<M>) => MethodResult<M> | Promise<MethodResult<M>>
}

/** A backend without a backend: answers as told, and remembers what it was asked. */
export class FakeClient implements BackendClient {
  state: ConnectionState = 'open'
  sessionId: string | null = 'session-1'
  error: CodedError | null = null
  readonly calls: { method: MethodName; params: unknown }[] = []
  answers: Answers
  readonly #listeners = new Map<string, Set<(payload: never) => void>>()
  readonly #states = new Set<(state: ConnectionState) => void>()
  readonly #resyncs = new Set<() => void>()

  constructor(answers: Answers = {}) {
    this.answers = answers
  }

  async call<M extends MethodName>(
    method: M,
    params: MethodParams<M>,
    options: { signal?: AbortSignal } = {},
  ): Promise<MethodResult<M>> {
    this.calls.push({ method, params })
    await Promise.resolve()
    if (options.signal?.aborted === true) throw new CodedError('cancelled', 'The request was cancelled.')
    const answer = this.answers[method]
    if (answer === undefined) throw new CodedError('unknown-method', `The fake client has no answer to ${method}.`)
    return answer(params)
  }

  on<E extends EventName>(event: E, listener: (payload: EventPayload<E>) => void): () => void {
    const set = this.#listeners.get(event) ?? new Set()
    this.#listeners.set(event, set)
    set.add(listener)
    return () => set.delete(listener)
  }

  tell<E extends EventName>(event: E, payload: EventPayload<E>): void {
    for (const listener of this.#listeners.get(event) ?? []) listener(payload as never)
  }

  onState(listener: (state: ConnectionState) => void): () => void {
    this.#states.add(listener)
    return () => this.#states.delete(listener)
  }

  setState(state: ConnectionState): void {
    this.state = state
    for (const listener of this.#states) listener(state)
  }

  onResync(listener: () => void): () => void {
    this.#resyncs.add(listener)
    return () => this.#resyncs.delete(listener)
  }

  resync(): void {
    for (const listener of this.#resyncs) listener()
  }

  close(): void {
    this.setState('closed')
  }

  asked(method: MethodName): unknown[] {
    return this.calls.filter((one) => one.method === method).map((one) => one.params)
  }
}

export function aCase(change: Partial<CaseSummary> = {}): CaseSummary {
  return {
    id: 'case-1',
    name: 'CT abdomen A',
    kind: 'volume',
    dims: [8, 6, 10],
    channels: 1,
    status: 'untouched',
    correctedSlices: 0,
    newCorrectedSlices: 0,
    missing: false,
    approvedSlices: 0,
    heldOut: false,
    ...change,
  }
}

export function aDetail(change: Partial<CaseDetail> = {}): CaseDetail {
  return {
    ...aCase(),
    sourcePath: '/data/ct-abdomen-a.nii.gz',
    spacing: [1, 1, 2],
    spacingKnown: true,
    affine: [
      [-1, 0, 0, 0],
      [0, -1, 0, 0],
      [0, 0, 2, 0],
      [0, 0, 0, 1],
    ],
    orientation: 'LPS',
    voxelType: 'int16',
    window: { center: 40, width: 400 },
    range: { min: -1024, max: 1200 },
    trainingAxis: 2,
    revision: 0,
    warnings: [],
    cautions: [],
    cautionsSeen: true,
    selection: {},
    tiles: null,
    corrected: [],
    predicted: [],
    approved: [],
    painted: [],
    ...change,
  }
}

/** Of a file that holds one image. */
export function aLook(change: Partial<ImageChoices> = {}): ImageChoices {
  return {
    name: 'scan.nii.gz',
    kind: 'volume',
    format: 'NIfTI-1',
    dims: [8, 6, 10],
    series: [],
    frames: 1,
    channels: [],
    complex: false,
    warnings: [],
    ...change,
  }
}

/** Of a mask that lies on the image of `aCase`. */
export function aMaskLook(change: Partial<MaskLook> = {}): MaskLook {
  return {
    format: 'NIfTI-1',
    dims: [8, 6, 10],
    labels: [{ value: 1, name: null, voxels: 120 }],
    fit: 'same',
    difference: null,
    canResample: true,
    ...change,
  }
}

export function aLabel(change: Partial<Label> = {}): Label {
  return { value: 1, name: 'Liver', color: '#e69f00', visible: true, locked: false, ...change }
}

export function aModel(change: Partial<ModelSummary> = {}): ModelSummary {
  return {
    id: 'model-1',
    version: 1,
    name: 'Demo',
    parentId: null,
    createdAt: '2026-01-02T03:04:05Z',
    active: true,
    parameters: 120_000,
    labels: [1],
    imported: false,
    training: null,
    notes: '',
    tags: [],
    bytes: 2_000_000,
    pruned: false,
    mode: 'shipped',
    judged: null,
    ...change,
  }
}

export function aJob(change: Partial<Job> = {}): Job {
  return {
    id: 'job-1',
    kind: 'predict',
    state: 'running',
    caseId: 'case-1',
    progress: 0.25,
    message: 'slice 3 of 10',
    secondsLeft: 4,
    curve: [],
    error: null,
    modelId: null,
    ...change,
  }
}

export function aLiveState(change: Partial<LiveState> = {}): LiveState {
  return {
    on: false,
    phase: 'off',
    parentId: null,
    modelId: null,
    steps: 0,
    loss: null,
    dice: null,
    slices: 0,
    unsavedSteps: 0,
    problem: null,
    ...change,
  }
}

export function aQueuedSlice(change: Partial<QueuedSlice> = {}): QueuedSlice {
  return { caseId: 'case-1', index: 3, score: 0.8, entropy: 0.9, disagreement: null, novelty: 0.2, ...change }
}

/** Nothing is ranked yet, unless `change` says so. */
export function aQueue(change: Partial<Queue> = {}): Queue {
  return { modelId: null, rankedAt: null, slices: [], cases: [], ...change }
}

export function aProject(change: Partial<Project> = {}): Project {
  return {
    id: 'project-1',
    name: 'Demo',
    path: '/projects/demo',
    labels: [aLabel(), aLabel({ value: 2, name: 'Spleen', color: '#56b4e9' })],
    cases: [aCase(), aCase({ id: 'case-2', name: 'CT abdomen B' })],
    models: [aModel()],
    jobs: [],
    lastCaseId: 'case-2',
    isDemo: true,
    coverage: 'whole',
    ...change,
  }
}

/** A backend with a small project, open and idle. */
export function projectClient(project: Project = aProject(), answers: Answers = {}): FakeClient {
  const nothingDone = { canUndo: false, canRedo: false, undoName: null, redoName: null }
  return new FakeClient({
    'app.info': () => ({
      version: '0.1.0',
      shell: 'browser',
      nativeDialogs: false,
      compute: { state: 'ready', backend: 'wasm', threads: 2, device: null, message: null, restarts: 0 },
    }),
    'settings.get': () => ({}),
    'settings.set': () => ({}),
    'project.get': () => project,
    'recipes.list': () => [],
    'recipes.state': () => ({ project: null, training: null }),
    'case.look': () => aLook(),
    'case.open': ({ caseId }) => aDetail({ ...project.cases.find((one) => one.id === caseId) }),
    'annotation.history': () => nothingDone,
    'live.get': () => aLiveState(),
    'queue.get': () => aQueue(),
    ...answers,
  })
}

const NO_ONNX_RUNTIME = 'The optional package onnxruntime-node is not installed.'

/** Of a computer with two cores and no graphics card. */
export function aDoctorReport(change: Partial<DoctorReport> = {}): DoctorReport {
  const absent = { available: false, reason: '', remedy: null, selfTest: null, stepMs: null, device: null }
  const device = { name: 'AMD EPYC', memoryMB: 24_000 }
  return {
    backends: [
      {
        ...absent,
        name: 'native',
        reason: NO_ONNX_RUNTIME,
        providers: [{ ...absent, name: 'cpu', reason: NO_ONNX_RUNTIME }],
      },
      { ...absent, name: 'cuda', reason: 'The TensorFlow library is not here.', remedy: 'Install it.' },
      { ...absent, name: 'webgpu', reason: 'No graphics card was found.' },
      { ...absent, name: 'tensorflow', reason: 'The TensorFlow library is not here.' },
      { name: 'wasm', available: true, reason: '', remedy: null, selfTest: { ok: true, ms: 180 }, stepMs: 24, device },
      { name: 'js', available: true, reason: '', remedy: null, selfTest: { ok: true, ms: 900 }, stepMs: 480, device },
    ],
    chosen: 'wasm',
    threads: 2,
    wanted: { backend: 'auto', threads: 0 },
    cached: false,
    cores: 2,
    versions: { node: '24.0.0' },
    memory: { totalMB: 24_000, freeMB: 12_000, processMB: 300, limitMB: 16_000 },
    ...change,
  }
}
