import { stat } from 'node:fs/promises'
import path from 'node:path'
import { loadModel } from './files.ts'
import type { LoadedModel } from './files.ts'

interface Entry {
  readonly key: string
  readonly model: LoadedModel
  users: number
  stale: boolean
}

/** So many models stay loaded: the active one and, after a training, its parent. */
const KEPT = 2

/** Keeps the models used last, so that predicting slice after slice reads the files once. */
export interface ModelCache {
  /** Runs `use` with the model in the folder; it is not disposed before `use` has ended. */
  with<T>(dir: string, use: (model: LoadedModel) => Promise<T>): Promise<T>
}

export function createModelCache(): ModelCache {
  let entries: Entry[] = []
  const release = (entry: Entry) => {
    entry.users--
    if (entry.stale && entry.users === 0) entry.model.network.dispose()
  }
  const drop = (entry: Entry) => {
    entry.stale = true
    if (entry.users === 0) entry.model.network.dispose()
  }
  const find = (key: string) => entries.find((entry) => entry.key === key)
  return {
    async with(dir, use) {
      const key = await versionOf(dir)
      let entry = find(key)
      if (entry === undefined) {
        const model = await loadModel(dir)
        // Another call may have loaded it meanwhile.
        const other = find(key)
        if (other !== undefined) model.network.dispose()
        entry = other ?? { key, model, users: 0, stale: false }
      }
      entry.users++
      const current = entry
      const ordered = [current, ...entries.filter((each) => each !== current)]
      entries = ordered.slice(0, KEPT)
      ordered.slice(KEPT).forEach(drop)
      try {
        return await use(current.model)
      } finally {
        release(current)
      }
    },
  }
}

/** A folder written anew is another model. */
async function versionOf(dir: string): Promise<string> {
  try {
    const { mtimeMs, size, ino } = await stat(path.join(dir, 'weights.bin'))
    return `${dir}|${mtimeMs}|${size}|${ino}`
  } catch {
    // Loading says what is wrong.
    return `${dir}|missing`
  }
}
