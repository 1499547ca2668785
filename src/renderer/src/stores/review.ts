import { computed } from 'vue'
import { defineStore } from 'pinia'
import type { Coverage, SliceState } from '../../../core/contract/index.ts'
import { useClient } from '../api/client.ts'
import type { Rect } from '../canvas/layout.ts'
import { useAnnotationStore } from './annotation.ts'
import { useProjectStore } from './project.ts'
import { useOnTrainingPlane } from './shown.ts'
import { useViewStore } from './view.ts'

/** What a person says of slices: that they are right, and what of them teaches. */
export const useReviewStore = defineStore('review', () => {
  const view = useViewStore()
  const annotation = useAnnotationStore()
  const project = useProjectStore()
  const onTrainingPlane = useOnTrainingPlane()

  /** Of the slice on screen; null where it is none that a model learns from: on another plane, or on a slide. */
  const state = computed<SliceState | null>(() =>
    onTrainingPlane.value && annotation.session !== null ? annotation.stateOf(view.index) : null,
  )
  const sliceCount = computed(() => view.detail?.dims[view.detail.trainingAxis] ?? 0)
  const allApproved = computed(() => sliceCount.value > 0 && annotation.approved.length >= sliceCount.value)
  /** What of the slice on screen teaches; null where nothing does yet, or it is approved and all of it does. */
  const sliceCoverage = computed<Coverage | null>(() => {
    if (state.value !== 'corrected') return null
    return annotation.painted.includes(view.index) ? 'painted' : 'whole'
  })
  const coverage = computed<Coverage>(() => project.project?.coverage ?? 'whole')
  /** The case belongs to the hold-out: nothing of it teaches. */
  const heldOut = computed(() => view.caseId !== null && project.caseById(view.caseId)?.heldOut === true)

  /**
   * Is what is seen a prediction that is not in the mask yet? It is taken over before it is approved, since approval is of
   * the mask.
   */
  function untaken(index: number): boolean {
    return view.overlay.predictionVisible && annotation.stateOf(index) === 'predicted'
  }

  /** Answers whether there was anything to take over. */
  async function takeOver(index: number): Promise<boolean> {
    const axis = view.detail?.trainingAxis
    if (axis === undefined || !untaken(index)) return false
    await annotation.accept({ scope: { kind: 'slice', axis, index }, labels: null, keepCorrected: true })
    return true
  }

  /** Answers whether anything is labelled on it. */
  async function approveSlice(index: number): Promise<{ tookOver: boolean; labelled: boolean }> {
    const axis = view.detail?.trainingAxis
    const tookOver = await takeOver(index)
    await annotation.approve({ index, approved: true })
    const mask = axis === undefined ? undefined : annotation.session?.masks.get({ axis, index })
    return { tookOver, labelled: mask?.labels.some((label) => label !== 0) ?? true }
  }

  /** `region` of the slice's buffer. Where the prediction was taken over for it, the rest of that teaches nothing. */
  async function approveRegion(index: number, { x0, y0, x1, y1 }: Rect): Promise<void> {
    const { caseId } = view
    const tookOver = await takeOver(index)
    if (tookOver && caseId !== null) await useClient().call('slice.coverage', { caseId, index, coverage: 'painted' })
    await annotation.approve({ index, region: { x0, y0, x1, y1 }, approved: true })
  }

  /** Slices that a person corrected keep their mask; the others get what is predicted, where that is seen. */
  async function approveCase(): Promise<void> {
    const open = annotation.predicted.some(untaken)
    if (open) await annotation.accept({ scope: { kind: 'volume' }, labels: null, keepCorrected: true })
    await annotation.approve({ index: null, approved: true })
  }

  async function takeBack(index: number | null): Promise<void> {
    await annotation.approve({ index, approved: false })
  }

  async function setSliceCoverage(index: number, next: Coverage): Promise<void> {
    const { caseId } = view
    if (caseId !== null) await useClient().call('slice.coverage', { caseId, index, coverage: next })
  }

  /** Of what is corrected from now on. */
  async function setCoverage(next: Coverage): Promise<void> {
    const taken = await useClient().call('slice.coverage', { caseId: null, index: null, coverage: next })
    if (project.project !== null) project.project = { ...project.project, coverage: taken.coverage }
  }

  return {
    state,
    sliceCount,
    allApproved,
    sliceCoverage,
    coverage,
    heldOut,
    approveSlice,
    approveRegion,
    approveCase,
    takeBack,
    setSliceCoverage,
    setCoverage,
  }
})
