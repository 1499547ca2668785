import { promisify } from 'node:util'
import { deflateRaw } from 'node:zlib'
import type { ComputeSlice, SliceGeometry } from '../../core/contract/compute.ts'
import { CodedError } from '../../core/contract/errors.ts'
import type { EventName, EventPayload } from '../../core/contract/events.ts'
import type { Box } from '../../core/contract/schemas.ts'
import type { Masks } from '../annotation/masks.ts'
import type { ComputePort } from '../compute/port.ts'
import type { EventHub } from '../events.ts'
import type { Cases } from '../project/cases.ts'
import { networkLayout } from '../volume/computeSlices.ts'
import type { Volumes } from '../volume/volumes.ts'

const deflate = promisify(deflateRaw)

/** Cases that were opened last, whose masks compute keeps. */
const FOLLOWED = 4
/** A case is brought so long after it was opened: what is on screen comes first. */
const BRING_MS = 1000
/** Strokes that wait for compute; of more, the mask as a whole is shorter. */
const MAX_WAITING = 200
/** How often a case is brought that compute loses again at once. */
const ATTEMPTS = 3

interface Patch {
  readonly revision: number
  readonly box: Box
  readonly runs: Uint32Array
}

interface Followed {
  readonly caseId: string
  /** What compute has; null where it has none, or not any more. */
  revision: number | null
  readonly pictures: Set<number>
  readonly waiting: Patch[]
  /** Bringing and patching, one after the other. */
  working: Promise<void> | null
  timer: NodeJS.Timeout | null
}

export interface StreamParts {
  readonly cases: Cases
  readonly masks: Masks
  readonly volumes: Volumes
  readonly compute: ComputePort
  readonly events: EventHub
  readonly log: (line: string) => void
}

/**
 * Every acknowledged stroke on its way to compute, which keeps the masks of the cases that were opened last and patches them
 * with the same deltas. Compute can lose all of it at any time; it is then brought again when it is next needed. Nobody who
 * draws waits for any of this.
 */
export class Stream {
  readonly #parts: StreamParts
  /** Opened last comes last. */
  readonly #followed = new Map<string, Followed>()
  readonly #unsubscribe: (() => void)[]
  #closed = false

  constructor(parts: StreamParts) {
    this.#parts = parts
    this.#unsubscribe = [
      parts.events.on((name, payload) => this.#heard(name, payload)),
      parts.compute.onStatus(({ state }) => {
        // Also where a process ends without a crash, another one knows nothing.
        if (state !== 'ready' && state !== 'busy') this.lost()
      }),
    ]
  }

  /** The case is open from now on. */
  follow(caseId: string): void {
    const known = this.#followed.get(caseId)
    const entry = known ?? { caseId, revision: null, pictures: new Set(), waiting: [], working: null, timer: null }
    this.#followed.delete(caseId)
    this.#followed.set(caseId, entry)
    for (const other of [...this.#followed.keys()].slice(0, -FOLLOWED)) this.drop(other)
    entry.timer ??= setTimeout(() => this.#soon(entry), BRING_MS).unref()
  }

  follows(caseId: string): boolean {
    return this.#followed.has(caseId)
  }

  /** Slices of which compute has no picture. */
  lacking(caseId: string, slices: readonly number[]): number[] {
    const entry = this.#followed.get(caseId)
    return slices.filter((slice) => entry?.pictures.has(slice) !== true)
  }

  /**
   * Compute has the mask of a followed case as it is now, or newer, and these pictures of it. Throws CodedError: `not-resident`
   * where it does not stay there, and what reading the mask and compute say.
   */
  async bring(caseId: string, pictures: readonly ComputeSlice[], geometry: SliceGeometry | null): Promise<void> {
    const { cases, compute } = this.#parts
    const entry = this.#followed.get(caseId)
    if (entry === undefined) throw notKept()
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      await this.#work(entry)
      if (entry.revision === null || entry.revision < (cases.find(caseId)?.revision ?? 0)) {
        // Strokes that were given up together with what was lost.
        if (entry.waiting.length === 0) lose(entry)
        continue
      }
      if (pictures.length === 0) return
      try {
        await compute.call('keepSlices', { caseId, slices: [...pictures], geometry })
        for (const { index } of pictures) entry.pictures.add(index)
        return
      } catch (error) {
        if (!isLost(error)) throw error
        lose(entry)
      }
    }
    throw notKept()
  }

  /** Compute does not keep these any more; without a name: none. */
  lost(caseIds: Iterable<string> = this.#followed.keys()): void {
    for (const caseId of caseIds) {
      const entry = this.#followed.get(caseId)
      if (entry !== undefined) lose(entry)
    }
  }

  /** The case is not to be kept any more: others were opened since, or it was removed. */
  drop(caseId: string): void {
    const entry = this.#followed.get(caseId)
    if (entry === undefined) return
    this.#followed.delete(caseId)
    if (entry.timer !== null) clearTimeout(entry.timer)
    const kept = entry.revision !== null || entry.working !== null
    lose(entry)
    if (!kept || !this.#usable()) return
    const close = (): Promise<unknown> => this.#parts.compute.call('closeCase', { caseId })
    const closed = entry.working === null ? close() : entry.working.then(() => (this.follows(caseId) ? null : close()))
    closed.catch(() => undefined)
  }

  /** Compute may outlive the project; it need not keep anything of it. */
  close(): void {
    for (const caseId of [...this.#followed.keys()]) this.drop(caseId)
    this.#closed = true
    for (const stop of this.#unsubscribe) stop()
  }

  #heard(name: EventName, payload: unknown): void {
    if (name !== 'annotation.applied') return
    // An event's payload is what its name says; the hub tells all of them through one listener.
    const { caseId, revision, delta } = payload as EventPayload<'annotation.applied'>
    const entry = this.#followed.get(caseId)
    if (entry === undefined) return
    entry.waiting.push({ revision, box: delta.box, runs: delta.runs })
    if (entry.waiting.length > MAX_WAITING) lose(entry)
    // After the stroke is acknowledged: even putting it into a message takes time.
    setImmediate(() => this.#soon(entry))
  }

  #soon(entry: Followed): void {
    if (!this.#usable() || this.#followed.get(entry.caseId) !== entry) return
    this.#work(entry).catch((error: unknown) => {
      // Who needs it is told when it is needed.
      if (!isExpected(error)) this.#parts.log(`case ${entry.caseId} is not kept by compute: ${String(error)}`)
    })
  }

  /** Compute that has given up is not asked to start once more for this. */
  #usable(): boolean {
    const { state } = this.#parts.compute.status()
    return !this.#closed && state !== 'failed' && state !== 'stopped'
  }

  #work(entry: Followed): Promise<void> {
    entry.working ??= this.#catchUp(entry).finally(() => (entry.working = null))
    return entry.working
  }

  async #catchUp(entry: Followed): Promise<void> {
    const { compute } = this.#parts
    const { caseId, waiting } = entry
    for (let attempt = 0; attempt < ATTEMPTS && this.#followed.get(caseId) === entry;) {
      if (entry.revision === null) {
        attempt++
        await this.#open(entry)
        continue
      }
      const [patch] = waiting
      if (patch === undefined) return
      if (patch.revision <= entry.revision) {
        // It came while the mask was brought, and is in it.
        waiting.shift()
        continue
      }
      try {
        const { revision } = await compute.call('patchCase', { caseId, ...patch })
        if (waiting[0] === patch) waiting.shift()
        patched(entry, revision)
      } catch (error) {
        lose(entry)
        if (!isLost(error)) throw error
      }
    }
  }

  async #open(entry: Followed): Promise<void> {
    const { masks, volumes, compute } = this.#parts
    const { caseId } = entry
    const { dims, affine, spacing } = await volumes.header(caseId)
    const layout = networkLayout(dims, affine, spacing)
    // Packed from a copy, on another thread: strokes go on meanwhile.
    const { labels, revision } = await masks.use(caseId, (mask) => ({
      labels: mask.labels.slice(),
      revision: mask.revision,
    }))
    const packed = await deflate(labels, { level: 1 })
    // Nothing else tells that it was lost while it was brought.
    entry.revision = revision
    entry.pictures.clear()
    try {
      await compute.call('openCase', { caseId, dims, layout, revision, labels: packed })
    } catch (error) {
      lose(entry)
      throw error
    }
  }
}

/** Strokes that are not in what compute has; those that it gets with the whole are passed over by their revision. */
function lose(entry: Followed): void {
  entry.revision = null
  entry.pictures.clear()
  entry.waiting.length = 0
}

/** Unless it was lost meanwhile. */
function patched(entry: Followed, revision: number): void {
  if (entry.revision !== null) entry.revision = Math.max(entry.revision, revision)
}

function isLost(error: unknown): boolean {
  return error instanceof CodedError && error.code === 'not-resident'
}

/** The case or the project was closed, or compute went away, which has its own words. */
function isExpected(error: unknown): boolean {
  const codes: readonly string[] = ['cancelled', 'compute-crashed', 'not-found', 'file-missing']
  return error instanceof CodedError && codes.includes(error.code)
}

function notKept(): CodedError {
  return new CodedError('not-resident', 'Compute does not keep this case.')
}
