import { ref, watch } from 'vue'
import { defineStore } from 'pinia'
import type { StrokeDelta } from '../../../core/contract/index.ts'
import { useClient } from '../api/client.ts'
import { useOnTrainingPlane } from './shown.ts'
import { useUiStore } from './ui.ts'
import { useViewStore } from './view.ts'

interface Shown {
  readonly caseId: string
  readonly index: number
  /** There is a prediction of it. */
  readonly predicted: boolean
}

/** By slice: with its prediction, if there is one, and not only the mask. */
type Seen = ReadonlyMap<number, boolean>

/** What these change, somebody drew: whoever has not looked since has not seen it. */
const drawing: ReadonlySet<StrokeDelta['kind']> = new Set<StrokeDelta['kind']>([
  'brush',
  'erase',
  'fill',
  'import',
  'redo',
])

/**
 * Which slices across the training axis of the open case were on screen face on, with mask and prediction as they are now. What
 * nobody saw is not approved with the case; a page that was loaded again has seen nothing.
 */
export const useSeenStore = defineStore('seen', () => {
  const client = useClient()
  const view = useViewStore()
  const ui = useUiStore()
  const onTrainingPlane = useOnTrainingPlane()
  const byCase = new Map<string, Seen>()
  /** Of the open case. */
  const slices = ref<Seen>(new Map())
  let last: Shown | null = null

  function put(caseId: string, seen: Seen): void {
    byCase.set(caseId, seen)
    if (caseId === view.caseId) slices.value = seen
  }

  /** A slice was drawn on the screen as it is; under a page nobody sees it yet. */
  function show(shown: Shown): void {
    last = shown
    if (ui.page !== null) return
    const { caseId, index, predicted } = shown
    const { maskVisible, predictionVisible } = view.overlay
    const before = byCase.get(caseId)
    const all = !predicted || predictionVisible
    if (!maskVisible || before?.get(index) === true || before?.get(index) === all) return
    put(caseId, new Map(before).set(index, all))
  }

  /** Was it on screen, and its prediction with it where `withPrediction`? */
  function has(index: number, withPrediction: boolean): boolean {
    const seen = slices.value.get(index)
    return withPrediction ? seen === true : seen !== undefined
  }

  /** The slice on screen is seen as it changes, as far as its layers are shown. */
  function changed(caseId: string, touches: (index: number) => boolean): void {
    const before = byCase.get(caseId)
    if (before === undefined) return
    const { maskVisible, predictionVisible } = view.overlay
    const visible = ui.page === null && maskVisible && view.caseId === caseId && onTrainingPlane.value
    const here = visible ? view.index : null
    const after = new Map<number, boolean>()
    for (const [index, all] of before) {
      if (!touches(index)) after.set(index, all)
      else if (index === here) after.set(index, all && predictionVisible)
    }
    put(caseId, after)
  }

  function forget(): void {
    for (const caseId of byCase.keys()) changed(caseId, () => true)
  }

  client.on('prediction.slices', ({ caseId, slices: predicted }) => {
    const touched = new Set(predicted.map(({ index }) => index))
    changed(caseId, (index) => touched.has(index))
  })
  client.on('annotation.applied', ({ caseId, delta, origin }) => {
    const axis = view.detail?.trainingAxis
    if (delta.runs.length === 0 || !drawing.has(delta.kind)) return
    // Of a case that is not open, nothing is known of its axes.
    if (caseId !== view.detail?.id || axis === undefined) {
      changed(caseId, () => true)
      return
    }
    // Whoever drew it face on has seen it.
    if (origin === client.sessionId && delta.axis === axis) return
    changed(caseId, (index) => index >= delta.box.min[axis] && index < delta.box.max[axis])
  })
  // Changes may have been missed.
  client.onResync(forget)
  watch(
    [() => view.overlay.maskVisible, () => view.overlay.predictionVisible, () => ui.page],
    () => {
      if (last?.caseId === view.caseId && onTrainingPlane.value && last.index === view.index) show(last)
    },
    { flush: 'sync' },
  )
  watch(
    () => view.caseId,
    (caseId) => {
      slices.value = (caseId === null ? undefined : byCase.get(caseId)) ?? new Map()
    },
    { flush: 'sync', immediate: true },
  )

  return { slices, show, has }
})
