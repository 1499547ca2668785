import { execFile } from 'node:child_process'
import { open, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import * as tf from '@tensorflow/tfjs-core'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { createRandom } from '../data/random.ts'
import { loadModel } from './files.ts'
import { forwardOf } from './forward.ts'
import { editJson, KINDS, prepareFolders, saveUntrained, weightsOf, withoutChecksums } from './testing/modelFolders.ts'
import type { Json, ModelFolders } from './testing/modelFolders.ts'

const MINUTES = 60_000
let folders: ModelFolders

beforeAll(async () => {
  folders = await prepareFolders()
})

afterAll(() => folders.remove())
afterEach(() => {
  vi.restoreAllMocks()
})

describe('saveModel and loadModel', () => {
  it('reads back what was written, and nothing else is left there', async () => {
    const folder = path.join(folders.dir, 'deep', 'er', 'model')
    const card = await saveUntrained(folder)
    expect((await readdir(folder)).sort()).toEqual(['card.json', 'model.json', 'weights.bin'])
    expect(await readdir(path.dirname(folder))).toEqual(['model'])
    const [again, first] = [await loadModel(folder), await loadModel(folders.original)]
    expect(again.card).toEqual(card)
    expect(weightsOf(again)).toEqual(weightsOf(first))
    again.network.dispose()
    first.network.dispose()
  })

  it(
    'writes what TensorFlow.js reads without Maskwright, with the same predictions',
    async () => {
      const plain = KINDS.filter(({ normalization }) => normalization !== 'group')
      const dirs = plain.map(({ normalization, upsampling }) =>
        path.join(folders.dir, `plain-${normalization}-${upsampling}`),
      )
      const random = createRandom(4)
      const pixels = Float32Array.from({ length: 2 * 256 }, () => random())
      const ours: number[][] = []
      for (const [at, kind] of plain.entries()) {
        await saveUntrained(dirs[at] ?? '', kind)
        const { network } = await loadModel(dirs[at] ?? '')
        ours.push(tf.tidy(() => [...forwardOf(network)(tf.tensor4d(pixels, [2, 16, 16, 1]), false).dataSync()]))
        network.dispose()
      }
      const reader = path.join(import.meta.dirname, 'testing', 'plainReaderChild.ts')
      const running = promisify(execFile)(process.execPath, [reader, ...dirs], { maxBuffer: 2 ** 26 })
      running.child.stdin?.end(new Uint8Array(pixels.buffer))
      const theirs = (await running).stdout.trim().split('\n')
      expect(theirs).toHaveLength(plain.length)
      theirs.forEach((line, at) => {
        const logits = JSON.parse(line) as number[]
        expect(logits).toHaveLength(2 * 256 * 3)
        const scale = Math.max(...logits.map(Math.abs))
        const worst = logits.reduce((most, value, i) => Math.max(most, Math.abs(value - (ours[at]?.[i] ?? NaN))), 0)
        expect(worst / scale).toBeLessThan(1e-4)
      })
    },
    MINUTES,
  )

  it('reads weights that lie in several files', async () => {
    const folder = await folders.copied()
    const weights = await readFile(path.join(folder, 'weights.bin'))
    // Cut in the middle of a number, as other programs do.
    const parts = [weights.subarray(0, 1001), weights.subarray(1001, 1002), weights.subarray(1002)]
    const names = parts.map((_, at) => `group1-shard${at + 1}of3.bin`)
    for (const [at, part] of parts.entries()) await writeFile(path.join(folder, names[at] ?? ''), part)
    await rm(path.join(folder, 'weights.bin'))
    await editJson(folder, 'model.json', (json) => ({ ...json, weightsManifest: manifest(json, { paths: names }) }))
    await withoutChecksums(folder)
    const [split, whole] = [await loadModel(folder), await loadModel(folders.original)]
    expect(weightsOf(split)).toEqual(weightsOf(whole))
    split.network.dispose()
    whole.network.dispose()

    await truncate(path.join(folder, names[2] ?? ''), 100)
    await expect(loadModel(folder)).rejects.toThrow(/shard3of3\.bin lacks \d+ bytes; copy the model folder again/)
    await writeFile(path.join(folder, names[2] ?? ''), Buffer.alloc(weights.length))
    await expect(loadModel(folder)).rejects.toMatchObject({ code: 'bad-file' })
  })

  it('reads the wrapping and the names of the Keras converter', async () => {
    const folder = await folders.copied()
    await withoutChecksums(folder)
    await editJson(folder, 'model.json', ({ modelTopology, ...json }) => ({
      ...json,
      generatedBy: 'keras v2.13.1',
      convertedBy: 'TensorFlow.js Converter v4.22.0',
      modelTopology: {
        keras_version: '2.13.1',
        backend: 'tensorflow',
        model_config: { ...(modelTopology as object), class_name: 'Functional' },
        training_config: { loss: 'mse', optimizer_config: { class_name: 'Unknown' } },
      },
    }))
    const [keras, ours] = [await loadModel(folder), await loadModel(folders.original)]
    expect(weightsOf(keras)).toEqual(weightsOf(ours))
    keras.network.dispose()
    ours.network.dispose()
  })

  it('reads a card of format 1 and leaves it as it is', async () => {
    const demo = path.join(import.meta.dirname, '../../../resources/models/demo')
    const folder = await folders.copied()
    const old: Json = JSON.parse(await readFile(path.join(folder, 'card.json'), 'utf8')) as Json
    const { id, name, createdAt, labels, parentId, architecture, parameters } = old
    const first = { format: 1, id, name, createdAt, labels, parentId, architecture, parameters }
    const text = JSON.stringify({ ...first, normalization: 'percentile', training: null })
    await writeFile(path.join(folder, 'card.json'), text)
    const { card, network } = await loadModel(folder)
    network.dispose()
    expect(card).toMatchObject({ ...first, format: 2, spacing: null, recipe: null, data: null, checksums: null })
    expect(card.input.normalization).toMatchObject({ kind: 'percentile', low: 0.5, high: 99.5 })
    expect(await readFile(path.join(folder, 'card.json'), 'utf8')).toBe(text)
    const shipped = await loadModel(demo)
    expect(shipped.card.labels.map(({ name: label }) => label)).toContain('Liver')
    shipped.network.dispose()
  })
})

describe('saveModel', () => {
  it('refuses to write over a model and leaves no part behind', async () => {
    const folder = await folders.copied()
    const before = await readFile(path.join(folder, 'weights.bin'))
    await expect(saveUntrained(folder, undefined, 9)).rejects.toMatchObject({ code: 'not-saved' })
    await expect(saveUntrained(folder)).rejects.toThrow(`${folder} exists already`)
    expect((await readFile(path.join(folder, 'weights.bin'))).equals(before)).toBe(true)
    expect((await readdir(folders.dir)).filter((name) => name.includes('.tmp'))).toEqual([])
  })

  it.each([
    ['ENOSPC', 'disk-full', /The disk is full, so the model could not be written to .*; free some space/],
    ['EACCES', 'no-permission', /no permission to write the model to .*; change its permissions/],
    ['EIO', 'not-saved', /could not be written to .*; check the drive/],
  ])('says in one sentence what %s means, and removes what it began', async (system, code, sentence) => {
    const above = path.join(folders.dir, `failing-${system}`)
    const probe = await open(path.join(folders.original, 'card.json'))
    const prototype = Object.getPrototypeOf(probe) as typeof probe
    await probe.close()
    let left = 1
    const write = prototype.writeFile
    vi.spyOn(prototype, 'writeFile').mockImplementation(async function (this: typeof probe, ...args) {
      if (left-- === 0) throw Object.assign(new Error(`${system}: it failed`), { code: system })
      await write.apply(this, args)
    })
    const saving = saveUntrained(path.join(above, 'in', 'model'))
    await expect(saving).rejects.toMatchObject({ code })
    await expect(saving).rejects.toThrow(sentence)
    await expect(stat(above)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('says so where the folder above is a file', async () => {
    await writeFile(path.join(folders.dir, 'file'), 'x')
    await expect(saveUntrained(path.join(folders.dir, 'file', 'model'))).rejects.toMatchObject({ code: 'not-saved' })
    expect(await readFile(path.join(folders.dir, 'file'), 'utf8')).toBe('x')
  })
})

function manifest(json: Json, change: object): unknown {
  return (json.weightsManifest as object[]).map((group) => ({ ...group, ...change }))
}
