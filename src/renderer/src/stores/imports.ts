import { ref } from 'vue'
import { defineStore } from 'pinia'
import type { FileEntry, ModelSummary, NetworkFacts, NetworkMeaning, WireError } from '../../../core/contract/index.ts'
import { useClient } from '../api/client.ts'
import { asWireError, isCancelled } from '../api/errors.ts'

/** One file on its way to be a version of the model. */
export type ImportState =
  | { readonly step: 'choose' }
  | { readonly step: 'inspecting'; readonly file: FileEntry }
  | { readonly step: 'refused'; readonly file: FileEntry; readonly error: WireError }
  | {
      readonly step: 'ready' | 'importing'
      readonly file: FileEntry
      readonly name: string
      readonly facts: NetworkFacts
      /** Why the last try failed; what was typed stays. */
      readonly error: WireError | null
    }

/** Importing a network from elsewhere: what was found out of the file stays until another is chosen. */
export const useImportsStore = defineStore('imports', () => {
  const state = ref<ImportState>({ step: 'choose' })
  let looking: AbortController | null = null

  async function inspect(file: FileEntry): Promise<void> {
    cancel()
    const controller = new AbortController()
    looking = controller
    state.value = { step: 'inspecting', file }
    try {
      const found = await useClient().call('models.inspect', { fileId: file.id }, { signal: controller.signal })
      if (looking === controller) state.value = { step: 'ready', file, ...found, error: null }
    } catch (error) {
      if (looking !== controller) return
      state.value = isCancelled(error) ? { step: 'choose' } : { step: 'refused', file, error: asWireError(error) }
    }
  }

  /** The new version; null where it failed, or where one is being imported. */
  async function take(meaning: NetworkMeaning): Promise<ModelSummary | null> {
    const before = state.value
    if (before.step !== 'ready') return null
    state.value = { ...before, step: 'importing', error: null }
    try {
      const model = await useClient().call('models.import', { fileId: before.file.id, meaning })
      state.value = { step: 'choose' }
      return model
    } catch (error) {
      state.value = { ...before, error: asWireError(error) }
      return null
    }
  }

  /** Ends looking at a file, and goes back to choosing one. What is being written is not stopped. */
  function cancel(): void {
    looking?.abort()
    looking = null
    if (state.value.step !== 'importing') state.value = { step: 'choose' }
  }

  return { state, inspect, take, cancel }
})
