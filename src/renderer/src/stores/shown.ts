import { computed, type ComputedRef } from 'vue'
import type { PlaneView } from '../../../core/geometry/types.ts'
import type { ShownSlice } from './jobs.ts'
import { useViewStore } from './view.ts'

/** The plane on screen; null when no case is open. */
export function useShownPlane(): ComputedRef<PlaneView | null> {
  const view = useViewStore()
  return computed(() => view.planes.find((one) => one.plane === view.plane) ?? null)
}

/** Are predictions and training slices seen face on? They lie across the case's training axis. */
export function useOnTrainingPlane(): ComputedRef<boolean> {
  const view = useViewStore()
  const plane = useShownPlane()
  return computed(() => view.detail !== null && plane.value?.sliceAxis === view.detail.trainingAxis)
}

/**
 * The slice across the training axis that long work should begin with: the one on screen, or the middle one while
 * another plane is looked at. Null when no case is open.
 */
export function useShownSlice(): ComputedRef<ShownSlice | null> {
  const view = useViewStore()
  const onTrainingPlane = useOnTrainingPlane()
  return computed(() => {
    const detail = view.detail
    if (detail === null) return null
    const index = onTrainingPlane.value ? view.index : Math.floor(detail.dims[detail.trainingAxis] / 2)
    return { caseId: detail.id, index }
  })
}
