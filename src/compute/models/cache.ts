import { stat } from 'node:fs/promises'
import path from 'node:path'
import { buildModel, readModelFiles } from './files.ts'
import type { LoadedModel } from './files.ts'

interface Entry {
  /** SHA-256 over card, topology and weights. */
  readonly content: string
  readonly model: LoadedModel
  /** States of folders that were found to hold it. */
  readonly stamps: Set<string>
  users: number
  stale: boolean
}

/** So many models stay loaded: the active one and, after a training, its parent. */
const KEPT = 2
/** So many folders are remembered to hold the same model. */
const STAMPS = 16

/** Keeps the models used last, so that predicting slice after slice reads the files once. */
export interface ModelCache {
  /**
   * Runs `use` with the model in the folder; it is not disposed before `use` has ended. The same content is loaded once,
   * whatever folder it lies in. Throws what loadModel throws.
   */
  with<T>(dir: string, use: (model: LoadedModel) => Promise<T>): Promise<T>
  /** Disposes every model that nobody uses now; those in use follow when their last user has ended. */
  drop(): void
}

export function createModelCache(): ModelCache {
  let entries: Entry[] = []

  function release(entry: Entry): void {
    entry.users--
    if (entry.stale && entry.users === 0) entry.model.network.dispose()
  }

  function retire(entry: Entry): void {
    entry.stale = true
    if (entry.users === 0) entry.model.network.dispose()
  }

  /** The entry, with one more user. */
  async function take(dir: string): Promise<Entry> {
    const stamp = await stampOf(dir)
    const known = entries.find(({ stamps }) => stamps.has(stamp))
    if (known !== undefined) return use(known)
    const files = await readModelFiles(dir)
    const find = () => entries.find(({ content }) => content === files.content)
    let entry = find()
    if (entry === undefined) {
      const model = await buildModel(files)
      // Another call may have built it meanwhile.
      entry = find()
      if (entry === undefined) entry = { content: files.content, model, stamps: new Set(), users: 0, stale: false }
      else model.network.dispose()
    }
    if (entry.stamps.size >= STAMPS) entry.stamps.clear()
    entry.stamps.add(stamp)
    return use(entry)
  }

  function use(entry: Entry): Entry {
    entry.users++
    const ordered = [entry, ...entries.filter((each) => each !== entry)]
    entries = ordered.slice(0, KEPT)
    ordered.slice(KEPT).forEach(retire)
    return entry
  }

  return {
    async with(dir, work) {
      const entry = await take(dir)
      try {
        return await work(entry.model)
      } finally {
        release(entry)
      }
    },
    drop() {
      const dropped = entries
      entries = []
      dropped.forEach(retire)
    },
  }
}

/** Changes when any file of the folder is written anew. */
async function stampOf(dir: string): Promise<string> {
  const states = ['card.json', 'model.json', 'weights.bin'].map(async (name) => {
    try {
      const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path.join(dir, name), { bigint: true })
      return [dev, ino, size, mtimeNs, ctimeNs].join(' ')
    } catch {
      // Weights may lie in other files; reading says what is wrong.
      return 'none'
    }
  })
  return [dir, ...(await Promise.all(states))].join('|')
}
