import { ref } from 'vue'
import { defineStore } from 'pinia'
import type { FileEntry, MaskLook, MethodResult, WireError } from '../../../core/contract/index.ts'
import { useClient } from '../api/client.ts'
import { asWireError, isCancelled } from '../api/errors.ts'
import { useAnnotationStore } from './annotation.ts'

/** A mask file on its way into the mask of a case. */
export type MaskImportState =
  | { readonly step: 'choose' }
  | { readonly step: 'looking'; readonly file: FileEntry }
  | { readonly step: 'refused'; readonly file: FileEntry; readonly error: WireError }
  | {
      readonly step: 'ready' | 'importing'
      readonly caseId: string
      readonly file: FileEntry
      readonly look: MaskLook
      /** Why the last try failed; what was chosen stays. */
      readonly error: WireError | null
    }

type Imported = MethodResult<'mask.import'>

/** Importing a mask: what the file holds, held against the image, until it is taken or left. */
export const useMaskImportsStore = defineStore('mask-imports', () => {
  const state = ref<MaskImportState>({ step: 'choose' })
  let looking: AbortController | null = null

  async function look(caseId: string, file: FileEntry): Promise<void> {
    cancel()
    const controller = new AbortController()
    looking = controller
    state.value = { step: 'looking', file }
    try {
      const found = await useClient().call('mask.look', { caseId, fileId: file.id }, { signal: controller.signal })
      if (looking === controller) state.value = { step: 'ready', caseId, file, look: found, error: null }
    } catch (error) {
      if (looking !== controller) return
      state.value = isCancelled(error) ? { step: 'choose' } : { step: 'refused', file, error: asWireError(error) }
    }
  }

  /** What became of it; null where it failed, or where one is being imported. */
  async function take(labels: 'keep' | number): Promise<Imported | null> {
    const before = state.value
    if (before.step !== 'ready') return null
    state.value = { ...before, step: 'importing', error: null }
    try {
      const resample = before.look.fit !== 'same'
      const imported = await useAnnotationStore().importMask(before.caseId, {
        fileId: before.file.id,
        resample,
        labels,
      })
      state.value = { step: 'choose' }
      return imported
    } catch (error) {
      state.value = { ...before, error: isCancelled(error) ? null : asWireError(error) }
      return null
    }
  }

  /** Ends looking at a file, and goes back to choosing one. What is being written is not stopped. */
  function cancel(): void {
    looking?.abort()
    looking = null
    if (state.value.step !== 'importing') state.value = { step: 'choose' }
  }

  return { state, look, take, cancel }
})
