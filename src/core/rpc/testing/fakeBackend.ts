import { CodedError, type EventName, type EventSource, type PartialHandlers } from '../../contract/index.ts'

/** A case id tells `annotation.history` how to behave: `slow`, `locked`, `crash`, `session`. */
export interface FakeBackend {
  readonly handlers: PartialHandlers
  readonly events: EventSource
  emit(name: EventName, payload: unknown): void
  /** What happened, in order: "slow: started", "slow: aborted" … */
  readonly log: string[]
  /** Lets every slow call go on. */
  release(): void
}

const history = { canUndo: true, canRedo: false, undoName: 'brush Liver', redoName: null }

/** Answers a few of the contract's methods with known values, for tests of what lies between page and backend. */
export function createFakeBackend(): FakeBackend {
  const listeners = new Set<(name: EventName, payload: unknown) => void>()
  const log: string[] = []
  let waiting: (() => void)[] = []
  const handlers: PartialHandlers = {
    'volume.slice': async ({ axis, index }) => {
      const samples = Int16Array.from({ length: 6 }, (_, at) => at * 1000 - 2000)
      return {
        width: 3,
        height: 2,
        channels: 1,
        voxelType: 'int16',
        data: new Uint8Array(samples.buffer),
        slope: axis,
        inter: index,
      }
    },
    'annotation.commit': async ({ caseId, delta }) => {
      log.push(`commit ${caseId}: ${[...delta.runs].join(' ')}`)
      return { revision: delta.runs.reduce((sum, value) => sum + value, 0), history }
    },
    'annotation.undo': async () => ({
      revision: 8,
      history,
      delta: {
        id: '7f1c1c62-9a2c-4a7e-8f00-000000000001',
        baseRevision: 7,
        kind: 'undo',
        label: 2,
        axis: null,
        box: { min: [0, 0, 0], max: [4, 4, 1] },
        runs: Uint32Array.of(0, 3, 0, 255, 4_000_000_000, 1, 2, 3),
      },
    }),
    'files.uploadChunk': async ({ bytes }) => {
      log.push(`chunk of ${bytes.byteLength}`)
      return {}
    },
    'settings.set': async ({ key, value }) => {
      // A write that is under way is not given up when the page goes.
      if (key === 'slow') await new Promise<void>((resolve) => waiting.push(resolve))
      log.push(`${key} = ${JSON.stringify(value)}`)
      return {}
    },
    'settings.get': async () => ({ nothing: undefined, none: null, nested: { list: [1, 'two', [3]] }, minus: -0.5 }),
    'annotation.history': async ({ caseId }, { signal, sessionId }) => {
      if (caseId === 'locked') throw new CodedError('locked', 'The label Liver is locked; unlock it first.')
      if (caseId === 'crash') throw new TypeError('a bug')
      if (caseId === 'session') return { ...history, undoName: sessionId }
      if (caseId !== 'slow') return history
      log.push('slow: started')
      await new Promise<void>((resolve, reject) => {
        waiting.push(resolve)
        signal.addEventListener('abort', () => {
          log.push('slow: aborted')
          reject(new DOMException('This operation was aborted', 'AbortError'))
        })
      })
      log.push('slow: done')
      return history
    },
  }
  return {
    handlers,
    events: {
      on(listener) {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    },
    emit: (name, payload) => {
      for (const listener of listeners) listener(name, payload)
    },
    log,
    release() {
      for (const resolve of waiting) resolve()
      waiting = []
    },
  }
}
