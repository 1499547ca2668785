import { computed, ref, shallowRef } from 'vue'
import { defineStore } from 'pinia'
import type { Axis, CaseDetail } from '../../../core/contract/index.ts'
import { useClient } from '../api/client.ts'
import { countDifferences } from '../canvas/labelDifferences.ts'

/** Old predictions kept on this page, for the slices nearest to the one on screen. */
const budgetBytes = 32 * 2 ** 20
/** Asked for at the same time; they must not crowd out what is being looked at. */
const together = 4

interface Before {
  readonly caseId: string
  readonly axis: Axis
  /** The model that made these predictions. */
  readonly modelId: string
  /** One label a voxel, by slice index. */
  readonly slices: ReadonlyMap<number, Uint8Array>
}

/** What the model predicted before the last retraining, to be shown beside what it predicts now. */
export const useComparisonStore = defineStore('comparison', () => {
  const before = shallowRef<Before | null>(null)
  /** Slices that the new model has predicted since, each with how many of its voxels got another label. */
  const fresh = shallowRef<ReadonlyMap<number, number>>(new Map())
  const comparing = ref(false)
  /** Was it looked at since the last retraining? */
  const seen = ref(false)
  let turn = 0

  /** The case whose old and new predictions can be compared; null when there is none yet. */
  const comparableCase = computed(() => (fresh.value.size > 0 ? (before.value?.caseId ?? null) : null))
  const changedVoxels = computed(() => [...fresh.value.values()].reduce((sum, voxels) => sum + voxels, 0))

  /**
   * Keeps the predictions of the active model before it is trained further: of the predicted slices of the case, those
   * nearest to `index`. Call it when the training has been started; slices that fail are left out.
   */
  async function remember(detail: CaseDetail, predicted: readonly number[], index: number, modelId: string) {
    turn += 1
    const mine = turn
    comparing.value = false
    seen.value = false
    fresh.value = new Map()
    before.value = null
    const axis = detail.trainingAxis
    const sliceBytes = detail.dims.reduce((product, size) => product * size, 1) / detail.dims[axis]
    const wanted = [...predicted]
      .sort((a, b) => Math.abs(a - index) - Math.abs(b - index))
      .slice(0, Math.floor(budgetBytes / sliceBytes))
    const slices = new Map<number, Uint8Array>()
    for (let at = 0; at < wanted.length; at += together) {
      const read = wanted.slice(at, at + together).map(async (one) => {
        const slice = await useClient().call('annotation.slice', {
          caseId: detail.id,
          axis,
          index: one,
          layer: 'prediction',
        })
        // The new model may have been quicker.
        if (slice.modelId === modelId) slices.set(one, slice.data)
      })
      await Promise.allSettled(read)
      if (mine !== turn) return
      before.value = { caseId: detail.id, axis, modelId, slices: new Map(slices) }
    }
  }

  /** Follows the predictions of the new model. The answer ends it. */
  function follow(): () => void {
    return useClient().on('prediction.slices', (event) => {
      const kept = before.value
      if (event.caseId !== kept?.caseId || event.axis !== kept.axis || event.modelId === kept.modelId) return
      const counted = new Map(fresh.value)
      for (const { index, data } of event.slices) {
        const old = kept.slices.get(index)
        if (old !== undefined) counted.set(index, countDifferences(old, data))
      }
      fresh.value = counted
    })
  }

  function setComparing(on: boolean): void {
    comparing.value = on
    if (on) seen.value = true
  }

  /** The old prediction to draw in place of the mask; null while nothing is compared, or nothing old is known. */
  function beforeOf(caseId: string, axis: Axis, index: number): Uint8Array | null {
    const kept = before.value
    if (!comparing.value || kept?.caseId !== caseId || kept.axis !== axis || !fresh.value.has(index)) return null
    return kept.slices.get(index) ?? null
  }

  /** How many voxels of a slice got another label; null where old and new are not both known. */
  function changedOn(index: number): number | null {
    return fresh.value.get(index) ?? null
  }

  return { comparing, seen, comparableCase, changedVoxels, remember, follow, setComparing, beforeOf, changedOn }
})
