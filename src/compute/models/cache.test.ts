import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createModelCache } from './cache.ts'
import { saveUntrained } from './testing/modelFolders.ts'
import type { ModelCache } from './cache.ts'
import type { LoadedModel } from './files.ts'

let dir = ''
const folders = ['first', 'second', 'third'] as const

beforeAll(async () => {
  await tf.setBackend('cpu')
  dir = await mkdtemp(path.join(os.tmpdir(), 'maskwright-cache-'))
  for (const [seed, name] of folders.entries()) await saveUntrained(path.join(dir, name), undefined, seed)
})

afterAll(async () => {
  await rm(dir, { recursive: true, force: true })
})

const network = (cache: ModelCache, name: string) =>
  cache.with(path.join(dir, name), (model) => Promise.resolve(model.network))
/** A variable of TensorFlow.js layers that is disposed refuses to be read. */
function isDisposed({ weights }: LoadedModel['network']): boolean {
  try {
    weights[0]?.read()
    return false
  } catch {
    return true
  }
}

describe('createModelCache', () => {
  it('loads a model once, keeps two, and never disposes one that is in use', async () => {
    const cache = createModelCache()
    const before = tf.memory().numTensors
    const first = await network(cache, 'first')
    expect(await network(cache, 'first')).toBe(first)
    const one = tf.memory().numTensors - before
    await cache.with(path.join(dir, 'first'), async () => {
      await network(cache, 'second')
      await network(cache, 'third')
      expect(isDisposed(first)).toBe(false)
      expect(tf.memory().numTensors - before).toBe(3 * one)
    })
    expect(isDisposed(first)).toBe(true)
    expect(tf.memory().numTensors - before).toBe(2 * one)
    expect(await network(cache, 'first')).not.toBe(first)
    expect(tf.memory().numTensors - before).toBe(2 * one)
    cache.drop()
    expect(tf.memory().numTensors).toBe(before)
  })

  it('loads the same content once, also for calls at the same time and from another folder', async () => {
    const cache = createModelCache()
    const before = tf.memory().numTensors
    const all = await Promise.all([1, 2, 3].map(() => network(cache, 'first')))
    await cp(path.join(dir, 'first'), path.join(dir, 'copy'), { recursive: true })
    expect(new Set([...all, await network(cache, 'copy'), await network(cache, 'first')]).size).toBe(1)
    cache.drop()
    expect(tf.memory().numTensors).toBe(before)
  })

  it('notices that a folder was written anew, and refuses it when it is damaged', async () => {
    const cache = createModelCache()
    await saveUntrained(path.join(dir, 'renewed'), undefined, 10)
    const first = await network(cache, 'renewed')
    await rm(path.join(dir, 'renewed'), { recursive: true })
    await saveUntrained(path.join(dir, 'renewed'), undefined, 11)
    const second = await network(cache, 'renewed')
    expect(second).not.toBe(first)
    await writeFile(path.join(dir, 'renewed', 'weights.bin'), 'x')
    await expect(network(cache, 'renewed')).rejects.toMatchObject({ code: 'bad-file' })
    cache.drop()
  })

  it('drops what nobody uses at once, and what is used when its last user has ended', async () => {
    const cache = createModelCache()
    const before = tf.memory().numTensors
    const idle = await network(cache, 'second')
    await cache.with(path.join(dir, 'first'), async (used) => {
      await cache.with(path.join(dir, 'first'), (same) => {
        cache.drop()
        expect([isDisposed(idle), isDisposed(used.network)]).toEqual([true, false])
        expect(same).toBe(used)
        return Promise.resolve()
      })
      expect(isDisposed(used.network)).toBe(false)
      // Loaded anew: what was dropped is not given out again.
      expect(await network(cache, 'first')).not.toBe(used.network)
      cache.drop()
    })
    expect(tf.memory().numTensors).toBe(before)
  })

  it('lets go of a model whose user fails', async () => {
    const cache = createModelCache()
    const before = tf.memory().numTensors
    await expect(cache.with(path.join(dir, 'first'), () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    cache.drop()
    expect(tf.memory().numTensors).toBe(before)
  })
})
