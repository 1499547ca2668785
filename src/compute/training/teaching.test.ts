import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { inferenceSettingsSchema } from '../../core/contract/recipes.ts'
import { IGNORED } from '../data/trainingImage.ts'
import { predictSlices } from '../inference/predict.ts'
import { modelCard } from '../models/card.ts'
import { buildRecipeNetwork } from '../models/recipeNetwork.ts'
import { HEAD_NAME } from '../models/unet.ts'
import { startRuntime } from '../runtime/start.ts'
import { evaluate } from './evaluate.ts'
import { openTrainable } from './opening.ts'
import { prepareSamples } from './recipeLessons.ts'
import { openTraining } from './session.ts'
import { DISK_LABELS, diskSample } from './testing/samples.ts'
import { trainModel } from './train.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { TrainingSample } from '../../core/contract/compute.ts'
import type { Handling } from '../../core/contract/modelCard.ts'
import type { ModelSettings } from '../../core/contract/recipes.ts'
import type { LoadedModel } from '../models/files.ts'
import type { TrainedModel, TrainOptions } from './train.ts'

const MINUTES = 60_000
const SIZE = 40
const BOTH = [...DISK_LABELS, { value: 5, name: 'Dark' }]

let parent: LoadedModel

function options(change: Partial<TrainOptions> = {}): TrainOptions {
  return {
    ...{ parent: null, architecture: { levels: 2, base: 4 }, labels: DISK_LABELS, backend: 'wasm' },
    ...{ samples: [diskSample(1), diskSample(2)], steps: 60, seconds: 300, seed: 11 },
    ...change,
  }
}

function asModel(id: string, trained: TrainedModel, labels = DISK_LABELS): LoadedModel {
  const identity = { id, parentId: null, name: id, createdAt: 'now', labels }
  return { network: trained.network, card: modelCard(identity, trained) }
}

beforeAll(async () => {
  await startRuntime({ backend: 'wasm', threads: 1 })
  parent = asModel('parent', await trainModel(options()))
}, MINUTES)

afterAll(() => {
  parent.network.dispose()
})

async function weightsOf(network: LayersModel): Promise<number[][]> {
  return await Promise.all(network.getWeights().map(async (weight) => [...(await weight.data())]))
}

async function diceOf(model: LoadedModel, label: number, samples: readonly TrainingSample[]): Promise<number> {
  const predicted = await predictSlices(model, samples)
  let [both, all] = [0, 0]
  samples.forEach(({ labels }, n) => {
    labels.forEach((wanted, i) => {
      const [a, b] = [wanted === label, predicted[n]?.labels[i] === label]
      both += a && b ? 1 : 0
      all += (a ? 1 : 0) + (b ? 1 : 0)
    })
  })
  return (2 * both) / all
}

/** Only its left part is trusted; in the rest everything is said to be `wrong`. */
function leftHalf(sample: TrainingSample, wrong: number): TrainingSample {
  const left = (i: number) => i % SIZE < 22
  return {
    ...sample,
    labels: sample.labels.map((label, i) => (left(i) ? label : wrong)),
    trusted: sample.labels.map((_, i) => (left(i) ? 1 : 0)),
  }
}

/** A dark square of label 5 in a corner, where the picture is dark too. */
function withSquare(sample: TrainingSample): TrainingSample {
  const [data, labels] = [sample.data.slice(), sample.labels.slice()]
  for (let y = 0; y < 10; y++) {
    data.fill(60, y * SIZE, y * SIZE + 10)
    labels.fill(5, y * SIZE, y * SIZE + 10)
  }
  return { ...sample, data, labels }
}

const sigmoid: Handling = {
  ...{ resize: { kind: 'none' }, output: 'sigmoid', border: false, instances: null },
  inference: inferenceSettingsSchema.parse({}),
}
const NETWORK: ModelSettings = {
  ...{ kind: 'unet', levels: 2, base: 4, convolutions: 'same', normalization: 'batch', upsampling: 'nearest' },
  ...{ dropout: 0, encoder: null },
}

function recipeModel(handling: Handling): LoadedModel {
  const built = buildRecipeNetwork(NETWORK, { channels: 1, outputs: handling.output === 'sigmoid' ? 1 : 3, seed: 4 })
  const identity = { id: 'r', parentId: null, name: 'R', createdAt: 'now', labels: DISK_LABELS }
  const input = { colour: parent.card.input.colour, normalization: { kind: 'window', from: 60, to: 190 } } as const
  return {
    network: built.network,
    card: modelCard(identity, { ...built, training: null }, { recipeUse: { handling, input } }),
  }
}

describe('what nobody trusts', () => {
  it.each(['plain', 'recipe'])(
    'changes not a bit of what is learned, whatever it says: %s',
    async (kind) => {
      const from = kind === 'recipe' ? recipeModel(sigmoid) : null
      const train = async (wrong: number) => {
        const samples = [leftHalf(diskSample(1), wrong), leftHalf(diskSample(4, 'replay'), wrong)]
        const { network, training } = await trainModel(options({ parent: from, samples, steps: 6, seed: 3 }))
        const learned = { weights: await weightsOf(network), curve: training.curve }
        network.dispose()
        return learned
      }
      const [one, other] = [await train(0), await train(2)]
      expect(other).toEqual(one)
      from?.network.dispose()
    },
    MINUTES,
  )

  it(
    'does not keep a network from learning what the trusted parts show',
    async () => {
      const samples = [1, 2, 3, 4].map((seed) => leftHalf(diskSample(seed), 2))
      const model = asModel('halves', await trainModel(options({ samples })))
      expect(await diceOf(model, 2, [diskSample(7), diskSample(8)])).toBeGreaterThan(0.85)
      model.network.dispose()
    },
    MINUTES,
  )

  it('ends no object: borders lie where the mask has them', () => {
    const handling: Handling = { ...sigmoid, output: 'softmax', border: true }
    const labels = new Uint8Array(100)
    for (let i = 0; i < 100; i++) labels[i] = i % 10 >= 2 && i % 10 < 8 ? 2 : 0
    const sample: TrainingSample = {
      ...{ index: 0, width: 10, height: 10, channels: 1, voxelType: 'uint8', data: new Uint8Array(100), labels },
      ...{
        slope: 1,
        inter: 0,
        low: 0,
        high: 1,
        role: 'corrected',
        trusted: labels.map((_, i) => (i % 10 < 5 ? 1 : 0)),
      },
    }
    const card = recipeModel(handling)
    const prepare = (given: TrainingSample) =>
      prepareSamples([given], card.card, handling, DISK_LABELS)[0]?.classes ?? []
    const { trusted: _, ...all } = sample
    const whole = [...prepare(all)]
    expect(new Set(whole)).toEqual(new Set([0, 1, 2]))
    expect([...prepare(sample)]).toEqual(whole.map((value, i) => (i % 10 < 5 ? value : IGNORED)))
    expect(whole.slice(40, 45)).not.toEqual(new Array(5).fill(2))
    card.network.dispose()
  })

  it('counts for nothing in the measured loss and Dice', async () => {
    const opened = await openTrainable(options({ parent }), [])
    const taught = (samples: TrainingSample[]) => {
      const lessons = opened.teach(samples).lessons(1)
      return lessons.evaluate(undefined).finally(() => {
        lessons.dispose()
      })
    }
    const whole = await taught([diskSample(1)])
    const [left, wrong] = [await taught([leftHalf(diskSample(1), 0)]), await taught([leftHalf(diskSample(1), 2)])]
    expect(wrong).toEqual(left)
    expect(left.dice).not.toBe(whole.dice)
    // Of a slice and a part of another, the mean over their pixels that teach.
    const pair = await taught([diskSample(1), leftHalf(diskSample(2), 0)])
    const part = await taught([leftHalf(diskSample(2), 0)])
    expect(pair.loss).toBeCloseTo((40 * whole.loss + 22 * part.loss) / 62, 5)
    expect(await evaluate(opened.network, 4, [], 2)).toMatchObject({ loss: 0, dice: 1, wrong: [] })
    opened.network.dispose()
  })
})

describe('where a network is wrong', () => {
  it('is told pixel by pixel as it would predict, of what teaches alone, also of slices that do not fit its sizes', async () => {
    const samples = [diskSample(3), leftHalf(diskSample(5), 2), diskSample(7, 'corrected', 35), diskSample(8)]
    const predicted = await predictSlices(parent, samples)
    const opened = await openTrainable(options({ parent }), [])
    const lessons = opened.teach(samples).lessons(1)
    const { wrong } = await lessons.evaluate(undefined)
    const expected = samples.map(({ labels, trusted }, n) =>
      Uint8Array.from(labels, (wanted, i) => Number(trusted?.[i] !== 0 && predicted[n]?.labels[i] !== wanted)),
    )
    expect(wrong).toEqual(expected)
    for (const map of wrong.slice(0, 2)) expect(map).toContain(1)
    lessons.dispose()
    opened.network.dispose()
  })
})

describe('the report of a training', () => {
  it('names labels that its parent was shown and its slices show nothing of, or next to nothing', async () => {
    const both = [{ value: 5, name: 'Dark' }, ...DISK_LABELS]
    const squares = [withSquare(diskSample(1)), diskSample(2)]
    const two = asModel('two', await trainModel(options({ labels: both, steps: 2, samples: squares })), both)
    expect(two.card.training?.seen).toEqual([2, 5])
    const reportBy = async (change: Partial<TrainOptions>) => {
      const { network, training } = await trainModel(options({ parent: two, labels: both, steps: 2, ...change }))
      network.dispose()
      return [training.seen, training.unseen]
    }
    expect(await reportBy({})).toEqual([[2, 5], [5]])
    const speck = { ...diskSample(3), labels: diskSample(3).labels.map((label, i) => (i < 15 ? 5 : label)) }
    expect(await reportBy({ samples: [speck] })).toEqual([[2, 5], [5]])
    expect(await reportBy({ samples: squares })).toEqual([[2, 5], []])
    // Where nobody says that it is right, it is not shown.
    const left = leftHalf(withSquare(diskSample(1)), 2)
    expect(await reportBy({ samples: [left] })).toEqual([[2, 5], []])
    const right = { ...left, trusted: left.trusted?.map((value) => 1 - value) }
    expect(await reportBy({ samples: [right] })).toEqual([[2, 5], [5]])
    // A label that nobody drew yet is not lost, and a first model has nothing to lose.
    expect(await reportBy({ parent, samples: [diskSample(1)] })).toEqual([[2], []])
    expect(await reportBy({ parent: null })).toEqual([[2], []])
    // What came with the program, or from before there was a report of it, knows all its labels.
    const { seen: _, ...before } = two.card.training ?? { seen: [] }
    const old = { ...two, card: { ...two.card, training: before as typeof two.card.training } }
    expect(await reportBy({ parent: old })).toEqual([[2, 5], [5]])
    expect(await reportBy({ parent: { ...two, card: { ...two.card, training: null } } })).toEqual([[2, 5], [5]])

    const session = await openTraining(options({ parent: two, labels: both }))
    const unseen = () => session.use(({ training }) => Promise.resolve(training.unseen))
    await session.run([diskSample(1)], 0)
    expect(await unseen()).toEqual([5])
    await session.run(squares, 0)
    await session.run([diskSample(2)], 0)
    expect(await unseen()).toEqual([])
    session.dispose()
    two.network.dispose()
  })
})

describe('a training on what its parent has right', () => {
  it('takes no step', async () => {
    const samples = [diskSample(3), diskSample(5, 'replay')]
    const predicted = await predictSlices(parent, samples)
    const right = samples.map((sample, n) => ({ ...sample, labels: predicted[n]?.labels ?? sample.labels }))
    const run = async (given: TrainingSample[]) => {
      const { network, training } = await trainModel(options({ parent, samples: given, steps: 4 }))
      network.dispose()
      return training
    }
    expect(await run(right)).toMatchObject({ steps: 0, keptStep: 0, mistakes: { count: 0, mended: 0, broken: 0 } })
    expect(await run([...right, diskSample(7)])).toMatchObject({ steps: 4 })
  })
})

describe('a label more', () => {
  it(
    'leaves what was learned as it was, on slices that were never shown, and is learned',
    async () => {
      const unseen = [5, 6, 7, 8].map((seed) => diskSample(seed))
      const before = await diceOf(parent, 2, unseen)
      expect(before).toBeGreaterThan(0.85)
      const samples = [
        withSquare(diskSample(3)),
        withSquare(diskSample(4)),
        diskSample(1, 'replay'),
        diskSample(2, 'replay'),
      ]
      const grown = asModel('grown', await trainModel(options({ parent, labels: BOTH, samples })), BOTH)
      expect(await diceOf(grown, 2, unseen)).toBeGreaterThan(before - 0.02)
      expect(await diceOf(grown, 5, unseen.map(withSquare))).toBeGreaterThan(0.8)
      grown.network.dispose()
    },
    MINUTES,
  )
})

describe('the pull to the parent', () => {
  /** How far the weights are from the parent's after 30 steps: of the head, and of the layers before. */
  async function distances(anchor: number, labels = DISK_LABELS): Promise<{ head: number; body: number }> {
    const session = await openTraining({ ...options({ parent, labels }), continuing: { anchor } })
    await session.run([diskSample(3)], 0)
    const start = await session.use(({ network }) => namedWeights(network))
    for (let k = 0; k < 30; k++) await session.run(null, 0.001)
    const end = await session.use(({ network }) => namedWeights(network))
    session.dispose()
    let [head, body] = [0, 0]
    for (const [name, values] of end) {
      const moved = values.reduce((sum, value, i) => sum + (value - (start.get(name)?.[i] ?? NaN)) ** 2, 0)
      if (name.startsWith(`${HEAD_NAME}/`)) head += moved
      else body += moved
    }
    return { head: Math.sqrt(head), body: Math.sqrt(body) }
  }

  async function namedWeights(network: LayersModel): Promise<Map<string, Float32Array>> {
    const weights = network.weights.map(async (weight) => {
      return [weight.originalName, Float32Array.from(await weight.read().data())] as const
    })
    return new Map(await Promise.all(weights))
  }

  it(
    'keeps the weights near; the head goes where it must when it has a new label',
    async () => {
      const [free, pulled] = [await distances(0), await distances(200)]
      expect(free.body).toBeGreaterThan(0.05)
      expect(pulled.body).toBeLessThan(0.4 * free.body)
      expect(pulled.head).toBeLessThan(0.5 * free.head)
      const [freeGrown, pulledGrown] = [await distances(0, BOTH), await distances(200, BOTH)]
      expect(pulledGrown.body).toBeLessThan(0.4 * freeGrown.body)
      expect(pulledGrown.head).toBeGreaterThan(0.5 * freeGrown.head)
    },
    MINUTES,
  )
})

describe('a training that goes wrong', () => {
  it('ends with its last step too, with nothing left of it', async () => {
    const tensors = tf.memory().numTensors
    const architecture = { levels: 2, base: 4, normalization: 'none' } as const
    // The only step has a loss that is a number, and leaves weights that give none.
    const once = trainModel(options({ architecture, steps: 1, continuing: { learningRate: 1e30 } }))
    await expect(once).rejects.toMatchObject({ code: 'compute-failed' })
    const nothing = trainModel(options({ samples: [{ ...diskSample(1), trusted: new Uint8Array(SIZE * SIZE) }] }))
    await expect(nothing).rejects.toMatchObject({ code: 'nothing-to-train' })
    expect(tf.memory().numTensors).toBe(tensors)
  })
})
