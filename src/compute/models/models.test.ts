import { cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRandom } from '../data/random.ts'
import { startRuntime } from '../runtime/start.ts'
import { createModelCache } from './cache.ts'
import { modelCard } from './card.ts'
import { loadModel, saveModel } from './files.ts'
import { forwardOf } from './forward.ts'
import { buildUNet } from './unet.ts'
import type { ModelCard } from '../../core/contract/compute.ts'

const MINUTES = 60_000
let dir = ''

beforeAll(async () => {
  await startRuntime({ backend: 'wasm', threads: 1 })
  dir = await mkdtemp(path.join(os.tmpdir(), 'maskwright-models-'))
}, MINUTES)

afterAll(async () => {
  await rm(dir, { recursive: true, force: true })
})

const labels = [{ value: 1, name: 'Liver' }]

function card(network: { countParams(): number }): ModelCard {
  const architecture = { name: 'unet-norm', levels: 2, base: 4, inputChannels: 1, step: 4 } as const
  return modelCard(
    { id: 'm', parentId: null, name: 'M', createdAt: 'now', labels },
    { network, architecture, training: null },
  )
}

async function saved(name: string): Promise<string> {
  const folder = path.join(dir, name)
  const network = buildUNet({ levels: 2, base: 4, classes: 2, seed: 3, normalized: true })
  await saveModel(folder, network, card(network))
  network.dispose()
  return folder
}

describe('buildUNet', () => {
  it('has the parameters of the reference network', () => {
    // 4 levels, base 8, one output channel: the figure that PyTorch counts for the same network.
    const network = buildUNet({ levels: 4, base: 8, classes: 1, seed: 1, normalized: false })
    expect(network.countParams()).toBe(490_993)
    network.dispose()
  })
})

describe('forwardOf', () => {
  it.each([
    ['plain', false, 4],
    ['normalized', true, 4],
    ['normalized, channels in no multiples of four', true, 3],
  ])('gives what the layers give: %s', (_, normalized, base) => {
    const network = buildUNet({ levels: 2, base, classes: 3, seed: 5, normalized })
    const random = createRandom(6)
    const input = Float32Array.from({ length: 2 * 12 * 20 }, () => random())
    const before = tf.memory().numTensors
    const [ours, theirs] = tf.tidy(() => {
      const images = tf.tensor4d(input, [2, 12, 20, 1])
      const applied = network.apply(images)
      if (!(applied instanceof tf.Tensor)) throw new Error('one output expected')
      return [forwardOf(network)(images, false).dataSync(), applied.dataSync()]
    })
    expect(ours.length).toBe(2 * 12 * 20 * 3)
    ours.forEach((value, i) => {
      expect(value).toBeCloseTo(theirs[i] ?? NaN, 3)
    })
    expect(tf.memory().numTensors).toBe(before)
    network.dispose()
  })
})

describe('model files', () => {
  it('reads back what was written, and nothing else is left there', async () => {
    const folder = await saved('whole')
    expect((await readdir(folder)).sort()).toEqual(['card.json', 'model.json', 'weights.bin'])
    const { network, card: read } = await loadModel(folder)
    const fresh = buildUNet({ levels: 2, base: 4, classes: 2, seed: 3, normalized: true })
    expect(read).toEqual(card(fresh))
    const values = (of: typeof fresh) => of.getWeights().map((weight) => Array.from(weight.dataSync()))
    expect(values(network)).toEqual(values(fresh))
    network.dispose()
    fresh.dispose()
  })

  it('refuses to write over a model and leaves no part behind', async () => {
    const folder = await saved('twice')
    const before = await readFile(path.join(folder, 'weights.bin'))
    await expect(saved('twice')).rejects.toMatchObject({ code: 'not-saved' })
    expect((await readFile(path.join(folder, 'weights.bin'))).equals(before)).toBe(true)
    expect((await readdir(dir)).filter((name) => name.includes('.tmp'))).toEqual([])
  })

  it.each<[string, (folder: string) => Promise<void>]>([
    ['truncated weights', (folder) => truncate(path.join(folder, 'weights.bin'), 1000)],
    ['no weights', (folder) => rm(path.join(folder, 'weights.bin'))],
    ['a cut topology', (folder) => truncate(path.join(folder, 'model.json'), 200)],
    ['an empty card', (folder) => writeFile(path.join(folder, 'card.json'), '')],
    ['a card of another format', (folder) => writeFile(path.join(folder, 'card.json'), '{"format":2}')],
    ['a graph model', (folder) => writeFile(path.join(folder, 'model.json'), '{"format":"graph-model"}')],
    [
      'a card with more labels than the network',
      async (folder) => {
        const file = path.join(folder, 'card.json')
        await writeFile(
          file,
          (await readFile(file, 'utf8')).replace('"labels": [', '"labels": [{"value":9,"name":"x"},'),
        )
      },
    ],
  ])('refuses %s as a bad file that is named', async (name, damage) => {
    const folder = path.join(dir, name.replaceAll(' ', '-'))
    await cp(await saved(`source of ${name}`), folder, { recursive: true })
    await damage(folder)
    const before = tf.memory().numTensors
    const loading = loadModel(folder)
    await expect(loading).rejects.toMatchObject({ code: 'bad-file' })
    await expect(loading).rejects.toThrow(folder)
    expect(tf.memory().numTensors).toBe(before)
  })
})

describe('createModelCache', () => {
  it('loads a model once, keeps two, and never disposes one that is in use', async () => {
    const cache = createModelCache()
    const folders = [await saved('first'), await saved('second'), await saved('third')] as const
    const before = tf.memory().numTensors
    const seen = new Set<unknown>()
    const look = (folder: string) =>
      cache.with(folder, ({ network }) => {
        seen.add(network)
        return Promise.resolve()
      })
    await look(folders[0])
    await look(folders[0])
    expect(seen.size).toBe(1)
    await cache.with(folders[0], async ({ network }) => {
      await look(folders[1])
      await look(folders[2])
      expect(network.getWeights()[0]?.isDisposed).toBe(false)
    })
    const two = tf.memory().numTensors - before
    await look(folders[0])
    expect(seen.size).toBe(4)
    expect(tf.memory().numTensors - before).toBe(two)
  })

  it('notices that a folder was written anew', async () => {
    const cache = createModelCache()
    const folder = await saved('renewed')
    const first = await cache.with(folder, ({ network }) => Promise.resolve(network))
    await rm(folder, { recursive: true })
    await saved('renewed')
    expect(await cache.with(folder, ({ network }) => Promise.resolve(network))).not.toBe(first)
  })
})
