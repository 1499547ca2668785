import { ref, shallowRef } from 'vue'
import { defineStore } from 'pinia'
import type { CaseSummary, MethodResult } from '../../../core/contract/index.ts'
import { useClient } from '../api/client.ts'
import { useProjectStore } from './project.ts'

export type SavedMask = MethodResult<'export.mask'>

/** Masks written to disk by this page: the last one of each case. */
export const useExportsStore = defineStore('exports', () => {
  /** The case whose mask is being written. */
  const running = ref<string | null>(null)
  const results = ref<Readonly<Record<string, SavedMask>>>({})
  const project = useProjectStore()
  /** What was known of each case when its file was there: the news that it is saved come after the answer. */
  const knownThen = shallowRef<ReadonlyMap<string, CaseSummary | null>>(new Map())

  /** Answers only when the file was written, reopened and compared. `fileId` null: into the project's exports folder. */
  async function save(caseId: string, fileId: string | null): Promise<SavedMask> {
    running.value = caseId
    try {
      const saved = await useClient().call('export.mask', { caseId, fileId })
      knownThen.value = new Map(knownThen.value).set(caseId, project.caseById(caseId))
      results.value = { ...results.value, [caseId]: saved }
      return saved
    } finally {
      running.value = null
    }
  }

  /** Was the mask changed after the last file of the case was written? */
  function isStale(caseId: string): boolean {
    const now = project.caseById(caseId)
    return now?.status === 'corrected' && now !== knownThen.value.get(caseId)
  }

  return { running, results, save, isStale }
})
