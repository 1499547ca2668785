import { computed, ref, shallowRef, watch } from 'vue'
import { defineStore } from 'pinia'
import type {
  EventPayload,
  History,
  MethodParams,
  MethodResult,
  SliceMarks,
  SliceState,
  StrokeDelta,
  WireError,
} from '../../../core/contract/index.ts'
import { asWireError, isCancelled } from '../api/errors.ts'
import { useClient } from '../api/client.ts'
import type { Rect } from '../canvas/layout.ts'
import type { SliceKey } from '../canvas/sliceCache.ts'
import { CaseSession } from '../history/caseSession.ts'
import { CommitQueue, type SaveState } from '../history/commitQueue.ts'
import { viewerText } from '../i18n/viewer.ts'
import { useUiStore } from './ui.ts'
import { useViewStore } from './view.ts'

type AcceptRequest = Omit<MethodParams<'annotation.accept'>, 'caseId'>
type AcceptResult = MethodResult<'annotation.accept'>
type ImportRequest = Omit<MethodParams<'mask.import'>, 'caseId'>
type ApproveRequest = Omit<MethodParams<'slice.approve'>, 'caseId'>
type Changed = MethodResult<'annotation.undo'>

const noMarks: SliceMarks = { corrected: [], predicted: [], approved: [], painted: [] }

/** What the mounted viewer must hear of at once; called outside Vue's reactivity. */
export interface AnnotationListener {
  /** Labels of a slice changed, inside `rect` of its buffer; null: ask the session for it again. */
  maskChanged(key: SliceKey, rect: Rect | null): void
  predictionsChanged(): void
}

/**
 * The mask of the open case: strokes on their way to disk, undo and redo, accepted predictions. Strokes of a case that
 * is no longer open are still committed.
 */
export const useAnnotationStore = defineStore('annotation', () => {
  const client = useClient()
  const view = useViewStore()
  const ui = useUiStore()

  const saveState = ref<SaveState>('saved')
  const saveError = ref<WireError | null>(null)
  const pendingStrokes = ref(0)
  const lastSavedAt = ref<number | null>(null)
  const history = ref<History | null>(null)
  const corrected = ref<readonly number[]>([])
  const predicted = ref<readonly number[]>([])
  const approved = ref<readonly number[]>([])
  /** Of the corrected slices: those that teach only where they were painted. */
  const painted = ref<readonly number[]>([])
  const session = shallowRef<CaseSession | null>(null)
  /** Set while a stroke is drawn: reading slices again waits for its end. */
  let drawing = false
  let reloadWaits = false
  let predictionsWait = false
  let listener: AnnotationListener | null = null
  let endStroke: (() => void) | null = null
  const waitForStroke: (() => void)[] = []

  const queue = new CommitQueue({
    commit: (caseId, delta) => client.call('annotation.commit', { caseId, delta }),
    isOpen: () => client.state === 'open',
    revisionOf: (caseId) => (session.value?.caseId === caseId ? session.value.masks.revision : 0),
    onCommitted(caseId, delta, result) {
      lastSavedAt.value = Date.now()
      if (session.value?.caseId !== caseId) return
      session.value.masks.acknowledge(delta, result.revision)
      history.value = result.history
    },
    onRefused(caseId, _delta, error) {
      ui.reportWire(
        error.code === 'conflict' ? { ...error, message: viewerText.save.conflict } : error,
        viewerText.save.refused,
      )
      if (session.value?.caseId === caseId) reload()
    },
    onState(state) {
      if (saveError.value?.message !== state.error?.message) tellTrouble(state.error)
      saveState.value = state.saveState
      saveError.value = state.error
      pendingStrokes.value = state.pendingStrokes
    },
  })

  /** Why strokes are not on disk stays in view while it holds; a lost connection is told in a place of its own. */
  function tellTrouble(error: WireError | null): void {
    ui.settle(viewerText.save.unsaved)
    if (error !== null && error.code !== 'connection-lost') ui.reportWire(error, viewerText.save.unsaved)
  }

  client.onState((state) => {
    if (state === 'open') queue.connectionOpened()
    else queue.connectionLost()
  })
  client.onResync(() => void resync())
  client.on('annotation.applied', onApplied)
  client.on('case.slices', (event) => {
    if (session.value?.caseId !== event.caseId) return
    takeMarks(event)
    showPredictions()
  })
  client.on('prediction.slices', (event) => {
    if (session.value?.caseId !== event.caseId) return
    session.value.putPredictions(event.axis, event.slices)
    const known = new Set(predicted.value)
    const added = event.slices.map(({ index }) => index).filter((index) => !known.has(index))
    if (added.length > 0) predicted.value = [...known, ...added].sort((a, b) => a - b)
    showPredictions()
  })

  /** What the slices of the open case are. */
  function takeMarks(marks: SliceMarks): void {
    corrected.value = marks.corrected
    predicted.value = marks.predicted
    approved.value = marks.approved
    painted.value = marks.painted
    session.value?.setPredicted(marks.predicted)
  }

  /** Live predicts while the user paints: what is under the brush stays as it is until the stroke ends. */
  function showPredictions(): void {
    predictionsWait = drawing
    if (!drawing) listener?.predictionsChanged()
  }

  /** Of a slice across the training axis. */
  function stateOf(index: number): SliceState {
    if (approved.value.includes(index)) return 'approved'
    if (corrected.value.includes(index)) return 'corrected'
    return predicted.value.includes(index) ? 'predicted' : 'untouched'
  }

  watch(
    () => view.detail,
    (detail) => {
      if (detail?.id === session.value?.caseId) return
      session.value?.close()
      session.value = null
      history.value = null
      takeMarks(detail ?? noMarks)
      // A slide has no mask: its regions do.
      if (!detail || detail.kind === 'slide') return
      const { id } = detail
      session.value = new CaseSession({
        detail,
        reader: {
          readImage: (key, signal) => client.call('volume.slice', { caseId: id, ...key }, { signal }),
          readLabels: (key, layer, signal) =>
            client.call('annotation.slice', { caseId: id, ...key, layer }, { signal }),
        },
        pending: () => queue.pendingOf(id),
        onMask: (key, rect) => {
          if (session.value?.caseId === id) listener?.maskChanged(key, rect)
        },
        isShown: (key) => key.axis === view.view?.sliceAxis && key.index === view.index,
      })
      void readHistory(id)
    },
    { flush: 'sync', immediate: true },
  )

  async function readHistory(caseId: string): Promise<void> {
    try {
      const read = await client.call('annotation.history', { caseId })
      if (session.value?.caseId === caseId) history.value = read
    } catch (thrown) {
      if (!isCancelled(thrown)) ui.report(thrown)
    }
  }

  function onApplied(event: EventPayload<'annotation.applied'>): void {
    const current = session.value
    if (current?.caseId !== event.caseId) return
    history.value = event.history
    const own = queue.pendingOf(event.caseId).some(({ id }) => id === event.delta.id)
    if (own) current.masks.acknowledge(event.delta, event.revision)
    else current.masks.applyRemote(event.delta, event.revision)
  }

  /** A finished stroke: it is on screen already, in the buffer `painted` of a slice of `owner`. */
  function commit(stroke: Omit<StrokeDelta, 'id' | 'baseRevision'>, painted: Uint8Array, owner: CaseSession): void {
    const delta: StrokeDelta = { ...stroke, id: crypto.randomUUID(), baseRevision: owner.masks.revision }
    owner.masks.applyLocal(delta, painted)
    queue.push(owner.caseId, delta)
  }

  async function undo(): Promise<Changed | null> {
    return change('annotation.undo')
  }

  async function redo(): Promise<Changed | null> {
    return change('annotation.redo')
  }

  async function change(method: 'annotation.undo' | 'annotation.redo'): Promise<Changed | null> {
    const current = session.value
    if (!current) return null
    const { caseId } = current
    if (drawing) await interrupt()
    const changed = await queue.run(() => client.call(method, { caseId }))
    applyChange(current, changed)
    if (changed.delta && session.value === current) showChange(changed.delta)
    return changed
  }

  /** Writes the prediction into the mask, after the strokes before it. */
  async function accept(request: AcceptRequest): Promise<AcceptResult> {
    const current = session.value
    if (drawing) await interrupt()
    return acceptInto(current, request)
  }

  /** The same for the stroke under way, which waits for it and goes on: nothing of it is painted yet. */
  async function acceptBeforeStroke(request: AcceptRequest): Promise<AcceptResult> {
    return acceptInto(session.value, request)
  }

  async function acceptInto(current: CaseSession | null, request: AcceptRequest): Promise<AcceptResult> {
    if (!current) throw new Error('accept() without an open case')
    const { caseId } = current
    const result = await queue.run(() => client.call('annotation.accept', { caseId, ...request }))
    applyChange(current, result)
    const { scope } = request
    const settled = scope.kind === 'slice' && scope.axis === current.detail.trainingAxis ? scope.index : null
    if (session.value === current && settled !== null && !corrected.value.includes(settled)) {
      corrected.value = [...corrected.value, settled].sort((a, b) => a - b)
    }
    return result
  }

  /**
   * A person says that a slice, a part of it or slices of the case are right as they are, or takes that back: of the case that is
   * open now, whichever is when it is done.
   */
  async function approve(request: ApproveRequest): Promise<MethodResult<'slice.approve'>> {
    const current = session.value
    if (drawing) await interrupt()
    if (!current) throw new Error('approve() without an open case')
    const { caseId } = current
    const result = await queue.run(() => client.call('slice.approve', { caseId, ...request }))
    applyChange(current, result)
    if (session.value === current) takeMarks(result.marks)
    return result
  }

  /** Writes a mask from a file into the mask of the open case, after the strokes before it. */
  async function importMask(caseId: string, request: ImportRequest): Promise<MethodResult<'mask.import'>> {
    if (drawing) await interrupt()
    const current = session.value
    if (current?.caseId !== caseId) throw new Error('importMask() for a case that is not open')
    const result = await queue.run(() => client.call('mask.import', { caseId, ...request }))
    applyChange(current, result)
    return result
  }

  function applyChange(current: CaseSession, changed: Changed): void {
    if (changed.delta) current.masks.applyRemote(changed.delta, changed.revision)
    if (session.value === current) history.value = changed.history
    lastSavedAt.value = Date.now()
  }

  /** Undo of a stroke on another slice goes there: a change that nobody sees is no help. */
  function showChange(delta: StrokeDelta): void {
    const axis = view.view?.sliceAxis
    if (axis === undefined || delta.box.max[axis] - delta.box.min[axis] !== 1) return
    view.setIndex(delta.box.min[axis])
  }

  async function resync(): Promise<void> {
    try {
      const detail = await view.refreshDetail()
      const current = session.value
      if (!detail || current?.caseId !== detail.id) return
      takeMarks(detail)
      reload()
      await readHistory(detail.id)
    } catch (thrown) {
      if (!isCancelled(thrown)) ui.reportWire(asWireError(thrown))
    }
  }

  function reload(): void {
    if (drawing) {
      reloadWaits = true
      return
    }
    reloadWaits = false
    predictionsWait = false
    session.value?.reload()
    listener?.predictionsChanged()
  }

  /** While true, slices are not replaced under the brush. */
  function setDrawing(active: boolean): void {
    drawing = active
    if (active) return
    if (reloadWaits) reload()
    else if (predictionsWait) showPredictions()
    for (const go of waitForStroke.splice(0)) go()
  }

  function listen(mounted: AnnotationListener): () => void {
    listener = mounted
    return () => {
      if (listener === mounted) listener = null
    }
  }

  /** Resolves when undo, redo and accept that are under way are over; null when there are none. */
  function settled(): Promise<void> | null {
    return queue.settled()
  }

  /**
   * The mask is about to change: a stroke that is being drawn ends here. Resolves when it is in the queue, which may
   * take until its slice is ready to be drawn on.
   */
  async function interrupt(): Promise<void> {
    if (endStroke === null) return
    endStroke()
    if (drawing) await new Promise<void>((resolve) => waitForStroke.push(resolve))
  }

  /** `end` is called when a stroke under way must end, until the answer is called. */
  function whenInterrupted(end: () => void): () => void {
    endStroke = end
    return () => {
      if (endStroke === end) endStroke = null
    }
  }

  /** Tries to save again now instead of after the pause. */
  function retrySave(): void {
    queue.retry()
  }

  const unsaved = computed(() => pendingStrokes.value > 0)

  return {
    saveState,
    saveError,
    pendingStrokes,
    unsaved,
    lastSavedAt,
    history,
    corrected,
    predicted,
    approved,
    painted,
    session,
    stateOf,
    commit,
    undo,
    redo,
    accept,
    acceptBeforeStroke,
    approve,
    importMask,
    settled,
    retrySave,
    setDrawing,
    whenInterrupted,
    listen,
  }
})
