import { CodedError, toWireError, type ErrorCode, type WireError } from '../../../core/contract/errors.ts'
import type { History, StrokeDelta } from '../../../core/contract/schemas.ts'
import { viewerText } from '../i18n/viewer.ts'

const text = viewerText.save

export type SaveState = 'saved' | 'saving' | 'unsaved'

export interface QueueState {
  readonly saveState: SaveState
  readonly error: WireError | null
  readonly pendingStrokes: number
}

export interface CommitResult {
  readonly revision: number
  readonly history: History
}

export interface CommitQueueOptions {
  /** Appends durably and answers; the same stroke id again changes nothing and answers the same. */
  readonly commit: (caseId: string, delta: StrokeDelta) => Promise<CommitResult>
  readonly isOpen: () => boolean
  /** The newest revision of the case that this page knows. */
  readonly revisionOf: (caseId: string) => number
  readonly onCommitted: (caseId: string, delta: StrokeDelta, result: CommitResult) => void
  /** The backend will never take this stroke: it is out of the queue, and what is on screen must be read again. */
  readonly onRefused: (caseId: string, delta: StrokeDelta, error: WireError) => void
  readonly onState: (state: QueueState) => void
  /** Runs `callback` after `ms`; gives back what cancels it. */
  readonly schedule?: (callback: () => void, ms: number) => () => void
}

interface CommitItem {
  readonly type: 'commit'
  readonly caseId: string
  readonly delta: StrokeDelta
}
interface TaskItem {
  readonly type: 'task'
  readonly run: () => Promise<unknown>
  readonly done: (outcome: { ok: true; value: unknown } | { ok: false; error: unknown }) => void
}

/** The stroke itself is at fault, or the mask is another by now: sending it again can never succeed. */
const refusals: ReadonlySet<ErrorCode> = new Set(['bad-request', 'conflict', 'locked', 'not-found', 'unknown-method'])

const RETRY_MS = [500, 1000, 2000, 5000] as const

/**
 * Everything that changes the mask, one at a time and in the order in which it was done. A stroke stays in the queue
 * until the backend has acknowledged it; after a lost connection or a failed write the same stroke, with the same id,
 * is sent again. Undo, redo and accept wait for the strokes before them.
 */
export class CommitQueue {
  private readonly options: CommitQueueOptions
  private readonly items: (CommitItem | TaskItem)[] = []
  private running = false
  private failures = 0
  private error: WireError | null = null
  private cancelRetry: (() => void) | null = null
  private told: QueueState = { saveState: 'saved', error: null, pendingStrokes: 0 }

  constructor(options: CommitQueueOptions) {
    this.options = options
  }

  get state(): QueueState {
    return this.told
  }

  /** Strokes of a case that are not acknowledged yet, oldest first: they lie over whatever the backend sends. */
  pendingOf(caseId: string): readonly StrokeDelta[] {
    return this.items.flatMap((item) => (item.type === 'commit' && item.caseId === caseId ? [item.delta] : []))
  }

  push(caseId: string, delta: StrokeDelta): void {
    this.items.push({ type: 'commit', caseId, delta })
    this.pump()
  }

  /**
   * Runs a request after all that was queued before it. A request that fails is not repeated: it rejects. Without a
   * connection it rejects at once, so that an undo does not happen by surprise when the connection is back.
   */
  run<T>(task: () => Promise<T>): Promise<T> {
    if (!this.options.isOpen()) return Promise.reject(new CodedError('connection-lost', text.connectionLost))
    return new Promise<T>((resolve, reject) => {
      this.items.push({
        type: 'task',
        run: task,
        done: (outcome) => {
          if (outcome.ok) resolve(outcome.value as T)
          else reject(outcome.error instanceof Error ? outcome.error : new Error(String(outcome.error)))
        },
      })
      this.pump()
    })
  }

  /**
   * Resolves when the requests that are queued now are over; null when there are none. What is drawn before that would
   * not fit the mask that they leave.
   */
  settled(): Promise<void> | null {
    if (!this.items.some((item) => item.type === 'task')) return null
    return this.run(() => Promise.resolve()).catch(() => undefined)
  }

  connectionLost(): void {
    this.tell()
  }

  /** The connection is back: what was not acknowledged is sent again at once. */
  connectionOpened(): void {
    if (this.error?.code === 'connection-lost') this.error = null
    this.retry()
  }

  /** Tries again now instead of after the pause. */
  retry(): void {
    this.cancelRetry?.()
    this.cancelRetry = null
    this.pump()
  }

  private pump(): void {
    if (!this.running && !this.cancelRetry && this.options.isOpen()) {
      const item = this.items[0]
      if (item) {
        this.running = true
        void this.work(item)
      }
    }
    this.tell()
  }

  private async work(item: CommitItem | TaskItem): Promise<void> {
    if (item.type === 'task') await this.workTask(item)
    else await this.workCommit(item)
    this.running = false
    this.pump()
  }

  private async workTask(item: TaskItem): Promise<void> {
    try {
      const value = await item.run()
      this.items.shift()
      item.done({ ok: true, value })
    } catch (thrown) {
      this.items.shift()
      item.done({ ok: false, error: thrown })
    }
  }

  private async workCommit(item: CommitItem): Promise<void> {
    const { caseId } = item
    const delta: StrokeDelta = { ...item.delta, baseRevision: this.options.revisionOf(caseId) }
    try {
      const result = await this.options.commit(caseId, delta)
      this.items.shift()
      this.failures = 0
      this.error = null
      this.options.onCommitted(caseId, delta, result)
    } catch (thrown) {
      const error = toWireError(thrown)
      if (refusals.has(error.code)) {
        this.items.shift()
        this.failures = 0
        this.error = null
        this.options.onRefused(caseId, delta, error)
        return
      }
      this.error = error
      // A lost connection is waited for; anything else (a full disk) is tried again after a pause.
      if (!(thrown instanceof CodedError && thrown.code === 'connection-lost' && !this.options.isOpen())) {
        this.scheduleRetry()
      }
    }
  }

  private scheduleRetry(): void {
    const schedule =
      this.options.schedule ??
      ((callback: () => void, ms: number) => {
        const timer = setTimeout(callback, ms)
        return () => {
          clearTimeout(timer)
        }
      })
    const pause = RETRY_MS[Math.min(this.failures, RETRY_MS.length - 1)] ?? 5000
    this.failures++
    this.cancelRetry = schedule(() => {
      this.retry()
    }, pause)
  }

  private tell(): void {
    const pendingStrokes = this.items.filter((item) => item.type === 'commit').length
    const lost: WireError = { code: 'connection-lost', message: text.strokesWait }
    const open = this.options.isOpen()
    const error = pendingStrokes === 0 ? null : open ? this.error : lost
    const saveState: SaveState = this.items.length === 0 ? 'saved' : error ? 'unsaved' : 'saving'
    const next: QueueState = { saveState, error, pendingStrokes }
    const before = this.told
    if (
      before.saveState === next.saveState &&
      before.pendingStrokes === next.pendingStrokes &&
      before.error?.message === next.error?.message
    ) {
      return
    }
    this.told = next
    this.options.onState(next)
  }
}
