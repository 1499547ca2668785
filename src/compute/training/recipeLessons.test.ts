import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers'
import '@tensorflow/tfjs-backend-cpu'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { inferenceSettingsSchema, instanceSettingsSchema } from '../../core/contract/recipes.ts'
import { createRandom } from '../data/random.ts'
import { predictSlices } from '../inference/predict.ts'
import { modelCard } from '../models/card.ts'
import { loadModel, saveModel } from '../models/files.ts'
import { buildRecipeNetwork } from '../models/recipeNetwork.ts'
import { trainedCard } from '../models/trainedCard.ts'
import { startForTests } from '../native/testing/compare.ts'
import { startWasm } from '../runtime/wasm.ts'
import { trainModel } from './train.ts'
import type { TrainingSample } from '../../core/contract/compute.ts'
import type { Handling } from '../../core/contract/modelCard.ts'
import type { ModelSettings } from '../../core/contract/recipes.ts'
import type { LoadedModel } from '../models/files.ts'

const SIZE = 48
const LABELS = [{ value: 3, name: 'Disk' }]

/** Red disks on green: what tells them apart is the colour alone, their luminance is the same. */
function picture(index: number, role: TrainingSample['role'] = 'corrected'): TrainingSample & { index: number } {
  const random = createRandom(index)
  const labels = new Uint8Array(SIZE * SIZE)
  const data = new Uint8Array(3 * SIZE * SIZE)
  const disks = Array.from({ length: 2 }, () => [8 + 32 * random(), 8 + 32 * random(), 5 + 4 * random()] as const)
  for (let y = 0; y < SIZE; y++) {
    for (let x = 0; x < SIZE; x++) {
      const inside = disks.some(([cx, cy, r]) => (x - cx) ** 2 + (y - cy) ** 2 < r ** 2)
      labels[y * SIZE + x] = inside ? 3 : 0
      data.set(inside ? [196, 20, 20] : [0, 120, 0], 3 * (y * SIZE + x))
    }
  }
  return {
    ...{
      index,
      width: SIZE,
      height: SIZE,
      channels: 3,
      voxelType: 'uint8',
      data,
      slope: 1,
      inter: 0,
      low: 0,
      high: 255,
    },
    ...{ labels, role },
  }
}

const SETTINGS: ModelSettings = {
  ...{ kind: 'unet', levels: 2, base: 8, convolutions: 'same', normalization: 'batch', upsampling: 'nearest' },
  ...{ dropout: 0, encoder: null },
}

/** The left or the upper part of a picture. */
function cropped(sample: ReturnType<typeof picture>, width: number, height: number): ReturnType<typeof picture> {
  const pixels = Array.from({ length: width * height }, (_, i) => (i % width) + SIZE * Math.floor(i / width))
  return {
    ...sample,
    ...{ width, height },
    data: Uint8Array.from(pixels.flatMap((at) => [...sample.data.subarray(3 * at, 3 * at + 3)])),
    labels: Uint8Array.from(pixels, (at) => sample.labels[at] ?? 0),
  }
}

const kinds: [string, Partial<ModelSettings>, Partial<Handling>][] = [
  [
    'softmax with a border, half the size',
    {},
    {
      border: true,
      resize: { kind: 'factor', factor: 0.5 },
      instances: instanceSettingsSchema.parse({ kind: 'border', label: 3 }),
    },
  ],
  ['sigmoid with Inception blocks and dropout', { kind: 'unet-inception', dropout: 0.2 }, { output: 'sigmoid' }],
  ['valid convolutions', { convolutions: 'valid', upsampling: 'transposed', levels: 1 }, {}],
  ['values cut at 0', { normalization: 'none' }, { output: 'relu' }],
]

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'lessons-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

async function parentOf(
  title: string,
  change: Partial<ModelSettings>,
  handled: Partial<Handling>,
): Promise<LoadedModel> {
  const handling: Handling = {
    ...{ resize: { kind: 'none' }, output: 'softmax', border: false, instances: null },
    inference: inferenceSettingsSchema.parse({}),
    ...handled,
  }
  const outputs = LABELS.length + (handling.output === 'softmax' ? 1 : 0) + (handling.border ? 1 : 0)
  const built = buildRecipeNetwork({ ...SETTINGS, ...change }, { channels: 3, outputs, seed: 4 })
  const card = modelCard(
    { id: 'parent', parentId: null, name: 'Parent', createdAt: '2026-01-01T00:00:00.000Z', labels: LABELS },
    { ...built, training: null },
    {
      recipe: 'nuclei',
      recipeUse: {
        handling,
        input: { colour: { kind: 'rgb' }, normalization: { kind: 'window', from: 0, to: 255 } },
      },
    },
  )
  const dir = path.join(folder, title)
  await saveModel(dir, built.network, card)
  built.network.dispose()
  return await loadModel(dir)
}

function dice(given: Uint8Array, wanted: Uint8Array): number {
  let [both, all] = [0, 0]
  wanted.forEach((value, i) => {
    if (value === 3 && given[i] === 3) both++
    all += (value === 3 ? 1 : 0) + (given[i] === 3 ? 1 : 0)
  })
  return (2 * both) / all
}

describe.each(['wasm', 'native'])('a training from a recipe’s model on %s', (backend) => {
  beforeAll(async () => {
    if (backend === 'wasm') await startWasm(1)
    else await startForTests()
    await tf.setBackend(backend)
  })

  it.each(kinds)('learns, and gives a model that is used as its parent: %s', async (title, change, handled) => {
    const parent = await parentOf(`${backend} ${title}`, change, handled)
    const samples = [picture(1), picture(2), picture(3, 'replay')]
    const run = async (steps: number) =>
      await trainModel({
        ...{ parent, labels: LABELS, samples, steps, seconds: 600, seed: 9, backend, batch: 4, patch: 32 },
        continuing: { learningRate: 1e-2 },
      })
    const trained = await run(40)
    expect(trained.training.diceAfter).toBeGreaterThan(0.85)
    // In pixels of the network's input.
    const { count = 0, mended = 0 } = trained.training.mistakes ?? {}
    expect(mended).toBeGreaterThan(0.5 * count)
    expect(count).toBeGreaterThan(50)
    const identity = {
      id: 'child',
      parentId: 'parent',
      name: 'Child',
      createdAt: parent.card.createdAt,
      labels: LABELS,
    }
    const machine = { threads: 1, device: null, versions: {} }
    const card = await trainedCard({ identity, recipe: 'interactive', samples }, trained, machine)
    expect(card).toMatchObject({ format: 4, input: parent.card.input, handling: parent.card.handling })
    const dir = path.join(folder, `${backend} ${title} child`)
    await saveModel(dir, trained.network, card)
    const child = await loadModel(dir)
    const other = picture(7)
    const [predicted] = await predictSlices(child, [other])
    expect(dice(predicted?.labels ?? new Uint8Array(), other.labels)).toBeGreaterThan(0.8)
    child.network.dispose()

    const [first, again] = [await run(3), await run(3)]
    expect(await weightsOf(again)).toEqual(await weightsOf(first))
    for (const { network } of [trained, first, again, parent]) network.dispose()
  })

  it('learns from slices of one shape while those of another are replayed', async () => {
    const parent = await parentOf(`${backend} shapes`, {}, {})
    const upright = [picture(1), picture(2)].map((each) => cropped(each, 24, SIZE))
    const lying = [picture(3, 'replay'), picture(4, 'replay')].map((each) => cropped(each, SIZE, 24))
    const order = { parent, labels: LABELS, steps: 30, seconds: 600, seed: 9, backend, batch: 4, patch: 64 }
    const trained = await trainModel({
      ...{ ...order, samples: [...upright, ...lying] },
      continuing: { learningRate: 1e-2, anchor: 0 },
    })
    expect(trained.training.diceAfter).toBeGreaterThan(0.8)
    for (const { network } of [trained, parent]) network.dispose()
  })
})

async function weightsOf({ network }: { network: LoadedModel['network'] }): Promise<Float32Array[]> {
  return await Promise.all(network.getWeights().map(async (weight) => Float32Array.from(await weight.data())))
}
