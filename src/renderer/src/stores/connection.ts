import { computed, ref } from 'vue'
import { defineStore } from 'pinia'
import type { WireError } from '../../../core/contract/index.ts'
import type { ConnectionState } from '../../../core/rpc/index.ts'
import { useClient } from '../api/client.ts'
import { asWireError } from '../api/errors.ts'

/** Is the backend there, and if not, why. */
export const useConnectionStore = defineStore('connection', () => {
  const state = ref<ConnectionState>('connecting')
  /** Why the connection is closed for good; null when it is not. */
  const error = ref<WireError | null>(null)

  const open = computed(() => state.value === 'open')
  /** This page is older or newer than the backend: only a reload helps. */
  const mismatch = computed(() => error.value?.code === 'version-mismatch')

  /** Follows the connection; `refresh` is called when events were missed. The answer ends it. */
  function follow(refresh: () => void): () => void {
    const client = useClient()
    const read = () => {
      state.value = client.state
      error.value = client.error === null ? null : asWireError(client.error)
    }
    read()
    const stops = [client.onState(read), client.onResync(refresh)]
    return () => stops.forEach((stop) => stop())
  }

  return { state, error, open, mismatch, follow }
})
