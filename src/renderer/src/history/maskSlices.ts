import type { Axis, Dims, LabelSlice, StrokeDelta } from '../../../core/contract/schemas.ts'
import { applyDeltaToSlice } from '../../../core/labelmap/index.ts'
import type { Rect } from '../canvas/layout.ts'
import { SliceCache, type SliceKey } from '../canvas/sliceCache.ts'

/** A cached slice of the mask: the backend's labels at `revision` with the strokes on top that wait to be committed. */
export interface MaskSlice {
  readonly axis: Axis
  readonly index: number
  readonly labels: Uint8Array
  revision: number
}

export interface MaskSlicesOptions {
  readonly dims: Dims
  readonly revision: number
  readonly load: (key: SliceKey, signal: AbortSignal) => Promise<LabelSlice>
  /** Strokes that the backend has not acknowledged, oldest first. */
  readonly pending: () => readonly StrokeDelta[]
  /** Labels of a cached slice changed, inside `rect` of its buffer; null: the slice must be asked for again. */
  readonly onChanged: (key: SliceKey, rect: Rect | null) => void
  readonly isShown: (key: SliceKey) => boolean
  readonly budgetBytes: number
}

/** Numbers in a delta from which on slices that nobody looks at are dropped rather than patched one by one. */
const LARGE_DELTA = 80_000

/** How many applied changes are remembered for slices that were on their way meanwhile. */
const REMEMBERED = 512

/**
 * The mask of one case as far as it is on this page. Own strokes are applied before they are committed; changes that
 * the backend tells of (undo, accepted predictions, another window) patch the cached slices, each exactly once: every
 * slice knows its revision.
 */
export class MaskSlices {
  private readonly options: MaskSlicesOptions
  private readonly cache: SliceCache<MaskSlice>
  private applied: { revision: number; delta: StrokeDelta }[] = []
  private newest: number

  constructor(options: MaskSlicesOptions) {
    this.options = options
    this.newest = options.revision
    this.cache = new SliceCache<MaskSlice>({
      load: async (key, signal) => this.receive(key, await options.load(key, signal)),
      bytesOf: (slice) => slice.labels.byteLength,
      budgetBytes: options.budgetBytes,
    })
  }

  /** The newest revision known. */
  get revision(): number {
    return this.newest
  }

  get(key: SliceKey): MaskSlice | undefined {
    return this.cache.get(key)
  }

  want(key: SliceKey): Promise<MaskSlice> {
    return this.cache.want(key)
  }

  prefetch(keys: readonly SliceKey[]): void {
    this.cache.prefetch(keys)
  }

  /** A stroke of this page that is not committed yet; `painted` is the buffer that the brush already wrote to. */
  applyLocal(delta: StrokeDelta, painted: Uint8Array): void {
    for (const [key, slice] of this.cache.values()) {
      if (slice.labels === painted) continue
      const rect = applyDeltaToSlice(slice.labels, this.options.dims, key.axis, key.index, delta)
      if (rect) this.options.onChanged(key, cornersOf(rect))
    }
  }

  /** The backend has a stroke of this page that was applied here before: only the revisions move on. */
  acknowledge(delta: StrokeDelta, revision: number): void {
    this.remember(delta, revision)
    for (const [, slice] of this.cache.values()) slice.revision = Math.max(slice.revision, revision)
  }

  /** A change that this page has not applied yet: undo, redo, accept, another window. Told twice it counts once. */
  applyRemote(delta: StrokeDelta, revision: number): void {
    this.remember(delta, revision)
    const dropOthers = delta.runs.length > LARGE_DELTA
    for (const [key, slice] of [...this.cache.values()]) {
      if (slice.revision >= revision) continue
      if (dropOthers && !this.options.isShown(key)) {
        this.cache.drop(key)
        continue
      }
      slice.revision = revision
      const rect = applyDeltaToSlice(slice.labels, this.options.dims, key.axis, key.index, delta)
      if (rect) this.options.onChanged(key, cornersOf(rect))
    }
  }

  /** What is here may not be what the backend has: read all again, those on screen at once. */
  reload(revision = this.newest): void {
    const keys = [...this.cache.values()].map(([key]) => key)
    this.cache.clear()
    this.applied = []
    this.newest = Math.max(this.newest, revision)
    for (const key of keys) this.options.onChanged(key, null)
  }

  clear(): void {
    this.cache.clear()
  }

  private receive(key: SliceKey, slice: LabelSlice): MaskSlice {
    const { dims } = this.options
    // The bytes may be a view into a whole message; strokes are painted into them, so they get a buffer of their own.
    const labels = slice.data.slice()
    const missed = this.applied.filter(({ revision }) => revision > slice.revision)
    for (const { delta } of missed) applyDeltaToSlice(labels, dims, key.axis, key.index, delta)
    for (const delta of this.options.pending()) applyDeltaToSlice(labels, dims, key.axis, key.index, delta)
    this.newest = Math.max(this.newest, slice.revision)
    return { axis: key.axis, index: key.index, labels, revision: Math.max(this.newest, slice.revision) }
  }

  private remember(delta: StrokeDelta, revision: number): void {
    this.newest = Math.max(this.newest, revision)
    if (this.applied.some((known) => known.revision === revision)) return
    this.applied.push({ revision, delta })
    if (this.applied.length > REMEMBERED) this.applied.shift()
  }
}

function cornersOf(rect: { x: number; y: number; width: number; height: number }): Rect {
  return { x0: rect.x, y0: rect.y, x1: rect.x + rect.width, y1: rect.y + rect.height }
}
