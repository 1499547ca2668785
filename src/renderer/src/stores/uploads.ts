import { ref } from 'vue'
import { defineStore } from 'pinia'
import type { FileEntry, WireError } from '../../../core/contract/index.ts'
import { useClient } from '../api/client.ts'
import { asWireError, isCancelled } from '../api/errors.ts'

const chunkBytes = 1 << 20

export interface Upload {
  readonly id: number
  readonly name: string
  readonly size: number
  /** Bytes that the backend has. */
  readonly sent: number
  readonly state: 'queued' | 'sending' | 'failed'
  readonly error: WireError | null
}

/** Files dropped on the window, on their way into the project. One at a time, in the order they came. */
export const useUploadsStore = defineStore('uploads', () => {
  const uploads = ref<Upload[]>([])
  const files = new Map<number, File>()
  const stops = new Map<number, AbortController>()
  let lastId = 0
  let queue: Promise<unknown> = Promise.resolve()

  /** `added` is given each file when all of its bytes have arrived; what it throws is shown at the file. */
  function add(list: readonly File[], added: (file: FileEntry) => Promise<void>): Promise<void> {
    const ids = list.map((file) => {
      lastId += 1
      files.set(lastId, file)
      stops.set(lastId, new AbortController())
      uploads.value = [
        ...uploads.value,
        { id: lastId, name: file.name, size: file.size, sent: 0, state: 'queued', error: null },
      ]
      return lastId
    })
    const run = queue.then(async () => {
      for (const id of ids) await send(id, added)
    })
    queue = run
    return run
  }

  async function send(id: number, added: (file: FileEntry) => Promise<void>): Promise<void> {
    const file = files.get(id)
    const signal = stops.get(id)?.signal
    if (file === undefined || signal === undefined) return
    change(id, { state: 'sending' })
    try {
      const client = useClient()
      const { uploadId } = await client.call('files.uploadBegin', { name: file.name, size: file.size }, { signal })
      for (let offset = 0; offset < file.size; offset += chunkBytes) {
        const bytes = new Uint8Array(await file.slice(offset, offset + chunkBytes).arrayBuffer())
        await client.call('files.uploadChunk', { uploadId, offset, bytes }, { signal })
        change(id, { sent: offset + bytes.length })
      }
      await added(await client.call('files.uploadEnd', { uploadId }, { signal }))
      dismiss(id)
    } catch (error) {
      if (isCancelled(error)) dismiss(id)
      else change(id, { state: 'failed', error: asWireError(error) })
    }
  }

  function change(id: number, values: Partial<Upload>): void {
    uploads.value = uploads.value.map((one) => (one.id === id ? { ...one, ...values } : one))
  }

  /** Stops an upload, or takes a failed one off the list. */
  function dismiss(id: number): void {
    stops.get(id)?.abort()
    stops.delete(id)
    files.delete(id)
    uploads.value = uploads.value.filter((one) => one.id !== id)
  }

  return { uploads, add, dismiss }
})
