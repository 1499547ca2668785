import { ref } from 'vue'
import { defineStore } from 'pinia'
import { CodedError, type FileEntry, type MethodParams, type WireError } from '../../../core/contract/index.ts'
import type { BackendClient } from '../../../core/rpc/index.ts'
import { useClient } from '../api/client.ts'
import { asWireError, isCancelled } from '../api/errors.ts'
import { t } from '../i18n/frame.ts'
import type { DroppedSet } from '../platform/droppedFiles.ts'

export type { DroppedSet } from '../platform/droppedFiles.ts'

type UploadFolder = MethodParams<'files.uploadBegin'>['folder']

const chunkBytes = 1 << 20

export interface Upload {
  readonly id: number
  readonly name: string
  /** Files that belong together. */
  readonly files: number
  readonly size: number
  /** Bytes that the backend has. */
  readonly sent: number
  readonly state: 'queued' | 'sending' | 'opening' | 'failed'
  readonly error: WireError | null
}

/** What was dropped on the window, on its way into the project. One set at a time, in the order they came. */
export const useUploadsStore = defineStore('uploads', () => {
  // That of the project that they were dropped on: what is still queued must not end in the next one.
  const client = useClient()
  const uploads = ref<Upload[]>([])
  const sets = new Map<number, DroppedSet>()
  const stops = new Map<number, AbortController>()
  let lastId = 0
  let queue: Promise<unknown> = Promise.resolve()

  /** `added` is given each set when all of its bytes have arrived; what it throws is shown at the set. */
  function add(list: readonly DroppedSet[], added: (file: FileEntry) => Promise<void>): Promise<void> {
    const ids = list.map((set) => {
      lastId += 1
      sets.set(lastId, set)
      stops.set(lastId, new AbortController())
      const size = set.files.reduce((sum, { file }) => sum + file.size, 0)
      const upload = { id: lastId, name: set.name, files: set.files.length, size, sent: 0, error: null }
      uploads.value = [...uploads.value, { ...upload, state: 'queued' }]
      return lastId
    })
    const run = queue.then(async () => {
      for (const id of ids) await send(id, added)
    })
    queue = run
    return run
  }

  async function send(id: number, added: (file: FileEntry) => Promise<void>): Promise<void> {
    const set = sets.get(id)
    const signal = stops.get(id)?.signal
    if (set === undefined || signal === undefined) return
    change(id, { state: 'sending' })
    try {
      const entry = await sendSet(client, set, signal, (bytes) => {
        const before = uploads.value.find((one) => one.id === id)
        change(id, { sent: (before?.sent ?? 0) + bytes })
      })
      change(id, { state: 'opening' })
      await added(entry)
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
    sets.delete(id)
    uploads.value = uploads.value.filter((one) => one.id !== id)
  }

  return { uploads, add, dismiss }
})

async function sendSet(
  client: BackendClient,
  set: DroppedSet,
  signal: AbortSignal,
  sent: (bytes: number) => void,
): Promise<FileEntry> {
  const folder = folderOf(set)
  let last: FileEntry | null = null
  for (const { path, file } of set.files) last = await sendFile(client, file, path, folder, signal, sent)
  if (last === null) throw new CodedError('bad-file', t.worklist.emptyFolder(set.name))
  return last
}

/** Where files that belong together come to lie, and which of them stands for the others. */
function folderOf({ kind, name, files }: DroppedSet): UploadFolder {
  if (kind === 'file' || files.length === 0) return undefined
  const header = kind === 'pair' ? name : null
  return { id: crypto.randomUUID(), name: header === null ? name : name.replace(/\.[^.]+(\.gz)?$/i, ''), header }
}

async function sendFile(
  client: BackendClient,
  file: File,
  path: string,
  folder: UploadFolder,
  signal: AbortSignal,
  sent: (bytes: number) => void,
): Promise<FileEntry> {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const begin = { name, size: file.size, ...(folder === undefined ? {} : { folder }) }
  const { uploadId } = await client.call('files.uploadBegin', begin, { signal })
  for (let offset = 0; offset < file.size; offset += chunkBytes) {
    const bytes = new Uint8Array(await file.slice(offset, offset + chunkBytes).arrayBuffer())
    await client.call('files.uploadChunk', { uploadId, offset, bytes }, { signal })
    sent(bytes.length)
  }
  return client.call('files.uploadEnd', { uploadId }, { signal })
}
