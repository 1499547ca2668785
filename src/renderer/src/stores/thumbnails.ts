import { shallowRef } from 'vue'
import { defineStore } from 'pinia'
import { useClient } from '../api/client.ts'

export interface Thumbnail {
  readonly width: number
  readonly height: number
  readonly rgba: Uint8Array
}

/** Small pictures of the cases; `null` where none could be made. Fetched once, when first asked for. */
export const useThumbnailsStore = defineStore('thumbnails', () => {
  const pictures = shallowRef<ReadonlyMap<string, Thumbnail | null>>(new Map())
  const asked = new Set<string>()

  async function want(caseId: string): Promise<void> {
    if (asked.has(caseId)) return
    asked.add(caseId)
    try {
      put(caseId, await useClient().call('case.thumbnail', { caseId }))
    } catch {
      put(caseId, null)
    }
  }

  /** The image is elsewhere now, or the connection was lost: ask again. */
  function forget(caseId?: string): void {
    if (caseId === undefined) asked.clear()
    else asked.delete(caseId)
  }

  function put(caseId: string, picture: Thumbnail | null): void {
    pictures.value = new Map(pictures.value).set(caseId, picture)
  }

  return { pictures, want, forget }
})
