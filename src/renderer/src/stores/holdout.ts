import { computed, ref, shallowRef } from 'vue'
import { defineStore } from 'pinia'
import type { Holdout, MethodParams } from '../../../core/contract/index.ts'
import { useClient } from '../api/client.ts'
import { modelWords } from '../i18n/models.ts'
import { useUiStore } from './ui.ts'

const none: Holdout = { id: null, frozenAt: null, chosenBy: null, cases: [] }

/** The cases that no training sees and every version is scored on. */
export const useHoldoutStore = defineStore('holdout', () => {
  const state = shallowRef<Holdout>(none)
  /** Was it read? */
  const known = ref(false)
  const caseIds = computed(() => new Set(state.value.cases.map(({ caseId }) => caseId)))
  /** What versions are scored on. */
  const slices = computed(() => state.value.cases.reduce((sum, one) => sum + one.slices, 0))

  /** Names of cases that are set aside and off the worklist. */
  const off = computed(() => state.value.off ?? [])

  async function load(): Promise<void> {
    take(await useClient().call('holdout.get', {}))
  }

  /** Follows the backend's events, and reads it afresh after some were missed; the answer ends it. */
  function follow(): () => void {
    const client = useClient()
    const stops = [
      client.on('holdout.changed', take),
      client.onResync(() => {
        if (known.value) load().catch((error: unknown) => useUiStore().report(error, modelWords.doing.holdout))
      }),
    ]
    return () => stops.forEach((stop) => stop())
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

  return { state, known, caseIds, slices, off, load, follow, suggest, freeze }
})
