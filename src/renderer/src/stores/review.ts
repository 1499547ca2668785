import { computed } from 'vue'
import { defineStore } from 'pinia'
import type { Coverage, SliceState } from '../../../core/contract/index.ts'
import { useClient } from '../api/client.ts'
import type { Rect } from '../canvas/layout.ts'
import { useAnnotationStore } from './annotation.ts'
import { useProjectStore } from './project.ts'
import { useSeenStore } from './seen.ts'
import { useOnTrainingPlane } from './shown.ts'
import { useViewStore } from './view.ts'

/** What a person says of slices: that they are right, and what of them teaches. */
export const useReviewStore = defineStore('review', () => {
  const view = useViewStore()
  const annotation = useAnnotationStore()
  const project = useProjectStore()
  const seen = useSeenStore()
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
   * Approval is of the mask, so a prediction that is seen, and of which nobody has said anything, goes into it in the same step. One that
   * is hidden does not.
   */
  const takeOver = computed(() => view.overlay.predictionVisible)

  /** Answers whether anything is labelled on it. */
  async function approveSlice(index: number): Promise<{ tookOver: boolean; labelled: boolean }> {
    const axis = view.detail?.trainingAxis
    const { session } = annotation
    const { tookOver } = await annotation.approve({ index, takeOver: takeOver.value, approved: true })
    const mask = axis === undefined ? undefined : session?.masks.get({ axis, index })
    return { tookOver: tookOver > 0, labelled: mask?.labels.some((label) => label !== 0) ?? true }
  }

  /**
   * `region` of the slice's buffer. Where the prediction was taken over for it, which is what the answer says, the rest of that
   * teaches nothing.
   */
  async function approveRegion(index: number, { x0, y0, x1, y1 }: Rect): Promise<boolean> {
    const region = { x0, y0, x1, y1 }
    const { tookOver } = await annotation.approve({ index, region, takeOver: takeOver.value, approved: true })
    return tookOver > 0
  }

  /**
   * The slices of the case that were on screen as they are, or that a person drew on: what nobody looked at is never approved. Slices
   * that a person corrected keep their mask; the others get what is predicted, where that is seen.
   */
  async function approveCase(): Promise<{ approved: number; unseen: number }> {
    const open = Array.from({ length: sliceCount.value }, (_, index) => index).filter(
      (index) => !annotation.approved.includes(index),
    )
    const slices = open.filter((index) => seen.has(index, takeOver.value) || isDrawn(index))
    const answer = { approved: slices.length, unseen: open.length - slices.length }
    if (slices.length > 0) await annotation.approve({ index: null, slices, takeOver: takeOver.value, approved: true })
    return answer
  }

  /** All of it, by hand or by name. */
  function isDrawn(index: number): boolean {
    return annotation.corrected.includes(index) && !annotation.painted.includes(index)
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
