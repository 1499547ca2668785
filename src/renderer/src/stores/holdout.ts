import { computed, ref, shallowRef } from 'vue'
import { defineStore } from 'pinia'
import type { Holdout, MethodParams } from '../../../core/contract/index.ts'
import { useClient } from '../api/client.ts'

const none: Holdout = { id: null, frozenAt: null, chosenBy: null, cases: [] }

/** The cases that no training sees and every version is scored on. */
export const useHoldoutStore = defineStore('holdout', () => {
  const state = shallowRef<Holdout>(none)
  /** Was it read? */
  const known = ref(false)
  const caseIds = computed(() => new Set(state.value.cases.map(({ caseId }) => caseId)))
  /** What versions are scored on. */
  const slices = computed(() => state.value.cases.reduce((sum, one) => sum + one.slices, 0))

  async function load(): Promise<void> {
    take(await useClient().call('holdout.get', {}))
  }

  /** Follows the backend's events; the answer ends it. */
  function follow(): () => void {
    return useClient().on('holdout.changed', take)
  }

  function take(next: Holdout): void {
    state.value = next
    known.value = true
  }

  async function suggest(): Promise<string[]> {
    return (await useClient().call('holdout.suggest', {})).caseIds
  }

  async function freeze(params: MethodParams<'holdout.set'>): Promise<void> {
    take(await useClient().call('holdout.set', params))
  }

  return { state, known, caseIds, slices, load, follow, suggest, freeze }
})
