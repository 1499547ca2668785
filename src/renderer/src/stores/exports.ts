import { ref } from 'vue'
import { defineStore } from 'pinia'
import type { MethodResult } from '../../../core/contract/index.ts'
import { useClient } from '../api/client.ts'

export type SavedMask = MethodResult<'export.mask'>

/** Masks written to disk by this page: the last one of each case. */
export const useExportsStore = defineStore('exports', () => {
  /** The case whose mask is being written. */
  const running = ref<string | null>(null)
  const results = ref<Readonly<Record<string, SavedMask>>>({})

  /** Answers only when the file was written, reopened and compared. `fileId` null: into the project's exports folder. */
  async function save(caseId: string, fileId: string | null): Promise<SavedMask> {
    running.value = caseId
    try {
      const saved = await useClient().call('export.mask', { caseId, fileId })
      results.value = { ...results.value, [caseId]: saved }
      return saved
    } finally {
      running.value = null
    }
  }

  return { running, results, save }
})
