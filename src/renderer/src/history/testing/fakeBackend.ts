import {
  CodedError,
  type CaseDetail,
  type Dims,
  type EventName,
  type EventPayload,
  type History,
  type MethodName,
  type StrokeDelta,
} from '../../../../core/contract/index.ts'
import { applyDelta, extractSlice, invertRuns, sliceExtent } from '../../../../core/labelmap/index.ts'
import type { BackendClient, ConnectionState } from '../../../../core/rpc/index.ts'

interface FakeCase {
  readonly detail: CaseDetail
  readonly labels: Uint8Array
  readonly prediction: Uint8Array
  revision: number
  readonly done: StrokeDelta[]
  readonly undone: StrokeDelta[]
}

/** A backend in memory with the journal's behaviour, for stores: commits, undo, accept, events, lost connections. */
export class FakeBackend {
  readonly calls: { method: MethodName; params: unknown }[] = []
  readonly client: BackendClient
  /** The next call of a method fails with this. */
  readonly failNext = new Map<MethodName, CodedError>()
  /** Calls of these methods wait until `release`. */
  readonly hold = new Set<MethodName>()
  private readonly cases = new Map<string, FakeCase>()
  private readonly listeners = new Map<string, Set<(payload: never) => void>>()
  private readonly stateListeners = new Set<(state: ConnectionState) => void>()
  private readonly resyncListeners = new Set<() => void>()
  private readonly held: (() => void)[] = []
  private readonly known = new Map<string, number>()
  private state: ConnectionState = 'open'

  constructor() {
    const getState = (): ConnectionState => this.state
    this.client = {
      call: (async (method: MethodName, params: Record<string, unknown>) => this.call(method, params)) as never,
      on: (event, listener) => {
        const set = this.listeners.get(event) ?? new Set()
        this.listeners.set(event, set)
        set.add(listener)
        return () => set.delete(listener)
      },
      get state() {
        return getState()
      },
      onState: (listener) => {
        this.stateListeners.add(listener)
        return () => this.stateListeners.delete(listener)
      },
      onResync: (listener) => {
        this.resyncListeners.add(listener)
        return () => this.resyncListeners.delete(listener)
      },
      sessionId: 'me',
      error: null,
      close: () => undefined,
    }
  }

  addCase(id: string, dims: Dims, change: Partial<CaseDetail> = {}): FakeCase {
    const detail: CaseDetail = {
      id,
      name: id,
      kind: 'volume',
      dims,
      channels: 1,
      status: 'untouched',
      correctedSlices: 0,
      newCorrectedSlices: 0,
      missing: false,
      approvedSlices: 0,
      heldOut: false,
      sourcePath: `/images/${id}.nii.gz`,
      spacing: [1, 1, 1],
      spacingKnown: true,
      affine: [
        [-1, 0, 0, 0],
        [0, -1, 0, 0],
        [0, 0, 1, 0],
        [0, 0, 0, 1],
      ],
      orientation: 'LPS',
      voxelType: 'uint8',
      window: { center: 100, width: 50 },
      range: { min: 0, max: 255 },
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
    const size = dims[0] * dims[1] * dims[2]
    const made = {
      detail,
      labels: new Uint8Array(size),
      prediction: new Uint8Array(size),
      revision: 0,
      done: [],
      undone: [],
    }
    this.cases.set(id, made)
    return made
  }

  emit<E extends EventName>(event: E, payload: EventPayload<E>): void {
    for (const listener of this.listeners.get(event) ?? []) listener(payload as never)
  }

  setState(state: ConnectionState): void {
    this.state = state
    for (const listener of this.stateListeners) listener(state)
  }

  resync(): void {
    for (const listener of this.resyncListeners) listener()
  }

  release(): void {
    this.hold.clear()
    for (const go of this.held.splice(0)) go()
  }

  private async call(method: MethodName, params: Record<string, unknown>): Promise<unknown> {
    this.calls.push({ method, params })
    if (this.hold.has(method)) await new Promise<void>((resolve) => this.held.push(resolve))
    if (this.state !== 'open') throw new CodedError('connection-lost', 'lost')
    const failure = this.failNext.get(method)
    this.failNext.delete(method)
    if (failure) throw failure
    const one = this.cases.get(String(params.caseId))
    if (!one) throw new CodedError('not-found', 'There is no such case.')
    return this.answer(method, params, one)
  }

  private answer(method: MethodName, params: Record<string, unknown>, one: FakeCase): unknown {
    const { dims } = one.detail
    const axis = params.axis as 0 | 1 | 2
    const index = params.index as number
    switch (method) {
      case 'case.open':
        return { ...one.detail, revision: one.revision }
      case 'volume.slice': {
        const [width, height] = sliceExtent(dims, axis)
        const data = new Uint8Array(width * height).fill(index)
        return { width, height, channels: 1, voxelType: 'uint8', data, slope: 1, inter: 0 }
      }
      case 'annotation.slice': {
        const [width, height] = sliceExtent(dims, axis)
        const isMask = params.layer === 'mask'
        const data = extractSlice(isMask ? one.labels : one.prediction, dims, axis, index)
        return { width, height, data, revision: one.revision, modelId: isMask ? null : 'm1' }
      }
      case 'annotation.history':
        return historyOf(one)
      case 'annotation.commit': {
        const delta = params.delta as StrokeDelta
        if (!this.known.has(delta.id)) {
          applyDelta(one.labels, dims, delta)
          one.done.push(delta)
          one.undone.length = 0
          this.known.set(delta.id, ++one.revision)
        }
        return { revision: this.known.get(delta.id), history: historyOf(one) }
      }
      case 'annotation.undo':
      case 'annotation.redo':
        return this.turnBack(one, method === 'annotation.undo')
      case 'annotation.accept': {
        const { scope } = params as { scope: { kind: string; index: number } }
        const plane = dims[0] * dims[1]
        const before = one.labels.slice(scope.index * plane, (scope.index + 1) * plane)
        const after = one.prediction.slice(scope.index * plane, (scope.index + 1) * plane)
        const runs: number[] = []
        before.forEach((label, at) => {
          if (label !== after[at]) runs.push(at, 1, label, after[at] ?? 0)
        })
        const delta: StrokeDelta = {
          id: crypto.randomUUID(),
          baseRevision: one.revision,
          kind: 'accept',
          label: 1,
          axis: 2,
          box: { min: [0, 0, scope.index], max: [dims[0], dims[1], scope.index + 1] },
          runs: Uint32Array.from(runs),
        }
        applyDelta(one.labels, dims, delta)
        one.done.push(delta)
        one.revision++
        const kept = { changedVoxels: runs.length / 4, keptLockedVoxels: 0, keptCorrectedSlices: 0 }
        return { revision: one.revision, delta, history: historyOf(one), ...kept }
      }
      case 'slice.approve':
        return this.approve(one, index, params.approved === true)
      default:
        throw new Error(`the fake backend has no ${method}`)
    }
  }

  private approve(one: FakeCase, index: number, approved: boolean): unknown {
    const { dims } = one.detail
    const delta: StrokeDelta = {
      id: crypto.randomUUID(),
      baseRevision: one.revision,
      kind: 'approve',
      label: 0,
      axis: 2,
      box: { min: [0, 0, index], max: [dims[0], dims[1], index + 1] },
      runs: new Uint32Array(),
    }
    one.done.push(delta)
    one.revision++
    const { corrected, predicted, painted } = one.detail
    const marks = { corrected, predicted, painted, approved: approved ? [index] : [] }
    return { revision: one.revision, delta, tookOver: 0, history: historyOf(one), marks }
  }

  private turnBack(one: FakeCase, undo: boolean): unknown {
    const last = (undo ? one.done : one.undone).pop()
    if (!last) return { revision: one.revision, delta: null, history: historyOf(one) }
    const delta: StrokeDelta = {
      ...last,
      id: crypto.randomUUID(),
      kind: undo ? 'undo' : 'redo',
      runs: undo ? new Uint32Array(invertRuns(last.runs)) : last.runs,
    }
    applyDelta(one.labels, one.detail.dims, delta)
    ;(undo ? one.undone : one.done).push(last)
    one.revision++
    return { revision: one.revision, delta, history: historyOf(one) }
  }
}

function historyOf(one: FakeCase): History {
  return {
    canUndo: one.done.length > 0,
    canRedo: one.undone.length > 0,
    undoName: one.done.length > 0 ? 'brush' : null,
    redoName: one.undone.length > 0 ? 'brush' : null,
  }
}
