import { execFile } from 'node:child_process'
import { copyFile, mkdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRandom } from '../data/random.ts'
import { loadModel } from './files.ts'
import {
  editJson,
  editSealed,
  prepareFolders,
  saveUntrained,
  weightsOf,
  withoutChecksums,
} from './testing/modelFolders.ts'
import type { ModelFolders } from './testing/modelFolders.ts'

const MINUTES = 60_000
let folders: ModelFolders

beforeAll(async () => {
  folders = await prepareFolders()
})

afterAll(() => folders.remove())

type Damage = (folder: string) => Promise<unknown>
const inFolder = (name: string, act: (file: string) => Promise<unknown>): Damage => {
  return (folder) => act(path.join(folder, name))
}

/** Damages to a whole model, and what is said of them. */
const DAMAGES: readonly (readonly [what: string, said: RegExp, Damage])[] = [
  [
    'truncated weights',
    /weights\.bin is cut off: it has 1000 bytes/,
    inFolder('weights.bin', (f) => truncate(f, 1000)),
  ],
  [
    'weights that are too long',
    /weights\.bin is too long/,
    inFolder('weights.bin', (f) => writeFile(f, 'x', { flag: 'a' })),
  ],
  ['empty weights', /weights\.bin is cut off: it has 0/, inFolder('weights.bin', (f) => truncate(f, 0))],
  ['no weights', /weights\.bin is missing/, inFolder('weights.bin', (f) => rm(f))],
  ['no topology', /model\.json is missing/, inFolder('model.json', (f) => rm(f))],
  ['no card', /card\.json is missing/, inFolder('card.json', (f) => rm(f))],
  ['no folder', /card\.json is missing/, (folder) => rm(folder, { recursive: true })],
  ['a cut topology', /model\.json is cut off/, inFolder('model.json', (f) => truncate(f, 200))],
  ['an empty topology', /model\.json is empty/, inFolder('model.json', (f) => truncate(f, 0))],
  ['an empty card', /card\.json is empty/, inFolder('card.json', (f) => truncate(f, 0))],
  ['a card that is no JSON', /card\.json is not the card/, inFolder('card.json', (f) => writeFile(f, 'hello'))],
  [
    'a card of a newer version',
    /newer Maskwright \(card format 5\); update/,
    inFolder('card.json', (f) => writeFile(f, '{"format":5}')),
  ],
  [
    'a card of an unknown format',
    /card\.json is not the card/,
    inFolder('card.json', (f) => writeFile(f, '{"format":0}')),
  ],
  [
    'a card of an imported network that does not say how it is used',
    /card\.json is not the card/,
    (folder) => editJson(folder, 'card.json', (json) => ({ ...json, format: 3 })),
  ],
  [
    'a changed card',
    /card\.json was changed/,
    (folder) => editJson(folder, 'card.json', (json) => ({ ...json, name: 'N' })),
  ],
  [
    'a folder instead of weights',
    /weights\.bin is no ordinary file|weights\.bin cannot be read/,
    inFolder('weights.bin', async (f) => {
      await rm(f)
      await mkdir(f)
    }),
  ],
  [
    'a link that leads to itself',
    /weights\.bin cannot be read, since it is a link/,
    inFolder('weights.bin', async (f) => {
      await rm(f)
      await symlink(f, f)
    }),
  ],
  [
    'a pipe',
    /model\.json is no ordinary file/,
    inFolder('model.json', async (f) => {
      await rm(f)
      await promisify(execFile)('mkfifo', [f])
    }),
  ],
  [
    'a device that never ends',
    /weights\.bin is no ordinary file/,
    inFolder('weights.bin', async (f) => {
      await rm(f)
      await symlink('/dev/zero', f)
    }),
  ],
  [
    'weights of another model',
    /weights\.bin is damaged or belongs to another model/,
    async (folder) => {
      const other = path.join(folders.dir, `other-of-${path.basename(folder)}`)
      await saveUntrained(other, undefined, 77)
      await copyFile(path.join(other, 'weights.bin'), path.join(folder, 'weights.bin'))
    },
  ],
  [
    'the topology of another model',
    /model\.json is not the one that was saved with its card/,
    (folder) => editJson(folder, 'model.json', (json) => ({ ...json, generatedBy: 'someone else' })),
  ],
  [
    'weights that are no number',
    /weights\.bin holds weights that are no numbers \(number 5\)/,
    async (folder) => {
      await withoutChecksums(folder)
      await spoil(folder, NaN)
    },
  ],
  [
    'infinite weights',
    /weights\.bin holds weights that are no numbers/,
    async (folder) => {
      await withoutChecksums(folder)
      await spoil(folder, -Infinity)
    },
  ],
  [
    'a card with more labels than the network',
    /card\.json does not fit the network.*4 output channels/,
    (folder) =>
      editSealed(folder, (card) => ({ ...card, labels: [...(card.labels as object[]), { value: 9, name: 'x' }] })),
  ],
  [
    'a card of another size of network',
    /card\.json does not fit the network/,
    (folder) =>
      editSealed(folder, (card) => ({ ...card, architecture: { ...(card.architecture as object), base: 8 } })),
  ],
  [
    'a card of another depth',
    /card\.json does not fit the network/,
    (folder) =>
      editSealed(folder, (card) => ({
        ...card,
        architecture: { ...(card.architecture as object), levels: 3, step: 8 },
      })),
  ],
  [
    'a card that names a label twice',
    /names a label value twice/,
    (folder) =>
      editSealed(folder, (card) => ({
        ...card,
        labels: [
          { value: 2, name: 'a' },
          { value: 2, name: 'b' },
        ],
      })),
  ],
  [
    'a card of differently prepared intensities',
    /prepared in another way/,
    (folder) =>
      editSealed(folder, (card) => {
        const input = card.input as { normalization: object }
        return { ...card, input: { ...input, normalization: { ...input.normalization, low: 2 } } }
      }),
  ],
]

async function spoil(folder: string, value: number): Promise<void> {
  const file = path.join(folder, 'weights.bin')
  const bytes = await readFile(file)
  bytes.writeFloatLE(value, 5 * 4)
  await writeFile(file, bytes)
}

describe('loadModel', () => {
  it.skipIf(process.platform === 'win32').each(DAMAGES)('refuses %s', async (_, said, damage) => {
    const folder = await folders.copied()
    await damage(folder)
    const before = tf.memory().numTensors
    const loading = loadModel(folder)
    await expect(loading).rejects.toMatchObject({ code: 'bad-file' })
    await expect(loading).rejects.toThrow(said)
    await expect(loading).rejects.toThrow(folder)
    // One sentence that ends with what to do.
    await expect(loading).rejects.toThrow(/; [^;]+\.$/)
    expect(tf.memory().numTensors).toBe(before)
  })

  // The superuser may read everything.
  it.skipIf(process.getuid?.() === 0)('refuses a folder without permission', async () => {
    const folder = await folders.copied()
    await promisify(execFile)('chmod', ['000', folder])
    await expect(loadModel(folder)).rejects.toThrow(/card\.json cannot be read, since you have no permission/)
    await promisify(execFile)('chmod', ['700', folder])
  })

  it(
    'never takes a damaged file for a whole one: cut and flipped at many places',
    async () => {
      const random = createRandom(2026)
      const whole = await loadModel(folders.original)
      const expected = weightsOf(whole)
      let refused = 0
      let equal = 0
      for (let trial = 0; trial < 240; trial++) {
        const name = ['card.json', 'model.json', 'weights.bin'][trial % 3] ?? ''
        const folder = await folders.copied()
        const bytes = await readFile(path.join(folder, name))
        const at = Math.floor(random() * bytes.length)
        const damaged = trial % 2 === 0 ? bytes.subarray(0, at) : flipped(bytes, at, random)
        await writeFile(path.join(folder, name), damaged)
        try {
          const loaded = await loadModel(folder)
          // A changed space between the words of a card, say.
          expect(loaded.card).toEqual(whole.card)
          expect(weightsOf(loaded)).toEqual(expected)
          loaded.network.dispose()
          equal++
        } catch (error) {
          expect(error).toMatchObject({ code: 'bad-file', message: expect.stringContaining(name) as string })
          refused++
        }
        await rm(folder, { recursive: true })
      }
      expect(refused + equal).toBe(240)
      expect(refused).toBeGreaterThan(200)
      whole.network.dispose()
    },
    MINUTES,
  )

  it(
    'refuses without checksums too whatever no longer describes the same network',
    async () => {
      const random = createRandom(7)
      const { length } = await readFile(path.join(folders.original, 'model.json'))
      for (let trial = 0; trial < 120; trial++) {
        const folder = await folders.copied()
        await withoutChecksums(folder)
        const file = path.join(folder, 'model.json')
        await writeFile(file, flipped(await readFile(file), Math.floor(random() * length), random))
        try {
          const { network } = await loadModel(folder)
          // A seed or a name was hit: the network still is what its weights fit.
          expect(network.outputs[0]?.shape).toEqual([null, null, null, 3])
          network.dispose()
        } catch (error) {
          expect(error).toMatchObject({ code: 'bad-file' })
        }
        await rm(folder, { recursive: true })
      }
    },
    MINUTES,
  )
})

function flipped(bytes: Buffer, at: number, random: () => number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at] = (copy[at] ?? 0) ^ (1 << Math.floor(random() * 8))
  return copy
}
