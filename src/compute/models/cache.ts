import { stat } from 'node:fs/promises'
import path from 'node:path'
import { CodedError } from '../../core/contract/errors.ts'
import { NETWORK_FILE, readFolderCard, readImported } from '../foreign/folder.ts'
import { isImported } from '../foreign/network.ts'
import { buildModel, readModelFiles } from './files.ts'
import type { ForeignEngine, ForeignModel } from '../foreign/engine.ts'
import type { LoadedModel } from './files.ts'

/** A network of TensorFlow.js, or one from elsewhere. */
export type AnyModel = LoadedModel | ForeignModel

interface Entry {
  /** SHA-256 over card, topology and weights. */
  readonly content: string
  readonly model: AnyModel
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
   * whatever folder it lies in. Throws what loadModel throws, also for a network from elsewhere.
   */
  with<T>(dir: string, use: (model: LoadedModel) => Promise<T>): Promise<T>
  /** The same with any model that can predict. */
  withAny<T>(dir: string, use: (model: AnyModel) => Promise<T>): Promise<T>
  /** Disposes every model that nobody uses now; those in use follow when their last user has ended. */
  drop(): void
}

/** `foreign` runs networks from elsewhere; without it there are none. */
export function createModelCache(foreign: ForeignEngine | null = null): ModelCache {
  let entries: Entry[] = []

  function release(entry: Entry): void {
    entry.users--
    if (entry.stale && entry.users === 0) dispose(entry.model)
  }

  function retire(entry: Entry): void {
    entry.stale = true
    if (entry.users === 0) dispose(entry.model)
  }

  /** The entry, with one more user. */
  async function take(dir: string): Promise<Entry> {
    const stamp = await stampOf(dir)
    const known = entries.find(({ stamps }) => stamps.has(stamp))
    if (known !== undefined) return use(known)
    const files = await read(dir, foreign)
    const find = () => entries.find(({ content }) => content === files.content)
    let entry = find()
    if (entry === undefined) {
      const model = await files.build()
      // Another call may have built it meanwhile.
      entry = find()
      if (entry === undefined) entry = { content: files.content, model, stamps: new Set(), users: 0, stale: false }
      else dispose(model)
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

  async function withAny<T>(dir: string, work: (model: AnyModel) => Promise<T>): Promise<T> {
    const entry = await take(dir)
    try {
      return await work(entry.model)
    } finally {
      release(entry)
    }
  }

  return {
    with: (dir, work) =>
      withAny(dir, (model) => {
        if ('network' in model) return work(model)
        throw new CodedError(
          'bad-file',
          `${model.card.name} was imported and only predicts; train a model of this program's own instead.`,
        )
      }),
    withAny,
    drop() {
      const dropped = entries
      entries = []
      dropped.forEach(retire)
    },
  }
}

/** What the folder holds, read and found whole, and how it becomes a network. */
async function read(
  dir: string,
  foreign: ForeignEngine | null,
): Promise<{ readonly content: string; readonly build: () => Promise<AnyModel> }> {
  if (foreign !== null && isImported(await readFolderCard(dir))) {
    const files = await readImported(dir)
    return { content: files.content, build: () => foreign.open(files) }
  }
  const files = await readModelFiles(dir)
  return { content: files.content, build: () => buildModel(files) }
}

function dispose(model: AnyModel): void {
  if ('network' in model) model.network.dispose()
  else void model.foreign.dispose()
}

/** Changes when any file of the folder is written anew. */
async function stampOf(dir: string): Promise<string> {
  const states = ['card.json', 'model.json', 'weights.bin', NETWORK_FILE].map(async (name) => {
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
