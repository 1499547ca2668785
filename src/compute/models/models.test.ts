import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import * as layers from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { createRandom } from '../data/random.ts'
import { registerJsKernels } from '../kernels/index.ts'
import { isTensor, isVariable } from '../runtime/tensors.ts'
import { startWasm } from '../runtime/wasm.ts'
import { createAdam } from '../training/adam.ts'
import { trainingStep } from '../training/step.ts'
import { forwardOf } from './forward.ts'
import { groupsFor } from './groupNormalization.ts'
import { buildUNet, unetOptions } from './unet.ts'
import type { Normalization, Upsampling } from './unet.ts'

const kinds: [Normalization, Upsampling, number][] = [
  ['none', 'nearest', 4],
  ['instance', 'nearest', 4],
  ['instance', 'nearest', 3],
  ['instance', 'transposed', 4],
  ['group', 'nearest', 8],
  ['group', 'transposed', 3],
  ['batch', 'nearest', 4],
  ['batch', 'transposed', 1],
  ['none', 'transposed', 5],
]

beforeAll(async () => {
  await startWasm(1)
  registerJsKernels()
})

function network(normalization: Normalization, upsampling: Upsampling, base: number): layers.LayersModel {
  return buildUNet({ levels: 2, base, classes: 3, seed: 5, normalization, upsampling })
}

/** Weights that no initializer gives: scales, shifts and moving statistics other than one and zero. */
function perturb({ layers: all }: layers.LayersModel): void {
  const random = createRandom(9)
  for (const layer of all) {
    const changed = layer.getWeights().map((weight) =>
      tf.tidy(() => {
        const noise = Float32Array.from({ length: weight.size }, () => 1 + 0.4 * random())
        return weight.rank === 1 ? tf.tensor(noise, weight.shape) : tf.mul(weight, tf.tensor(noise, weight.shape))
      }),
    )
    if (changed.length > 0) layer.setWeights(changed)
    tf.dispose(changed)
  }
}

function randomImages(count: number, height: number, width: number): Float32Array {
  const random = createRandom(6)
  return Float32Array.from({ length: count * height * width }, () => random())
}

function only(applied: unknown): tf.Tensor {
  if (isTensor(applied)) return applied
  throw new Error('one output expected')
}

function expectClose(got: ArrayLike<number>, want: ArrayLike<number>): void {
  expect(got.length).toBe(want.length)
  const scale = Math.max(1, ...Array.from(want, Math.abs))
  const worst = Math.max(...Array.from(want, (value, i) => Math.abs(value - (got[i] ?? NaN))))
  expect(worst / scale).toBeLessThan(1e-3)
}

describe('buildUNet', () => {
  it('has the parameters of the reference network', () => {
    // 4 levels, base 8, one output channel: the figure that PyTorch counts for the same network.
    const unet = buildUNet({ levels: 4, base: 8, classes: 1, seed: 1, normalization: 'none', upsampling: 'nearest' })
    expect(unet.countParams()).toBe(490_993)
    unet.dispose()
  })

  it.each(kinds)('gives the same weights for the same seed: %s, %s, base %i', (...kind) => {
    const [first, again] = [network(...kind), network(...kind)]
    const values = (of: layers.LayersModel) => of.getWeights().map((weight) => Array.from(weight.dataSync()))
    expect(values(again)).toEqual(values(first))
    first.dispose()
    again.dispose()
  })

  it('is what a card stands for, with or without the options that newer cards name', () => {
    expect(unetOptions({ name: 'unet' })).toMatchObject({ normalization: 'none', upsampling: 'nearest' })
    expect(unetOptions({ name: 'unet-norm' })).toMatchObject({ normalization: 'instance', upsampling: 'nearest' })
    const options = { normalization: 'group', upsampling: 'transposed' } as const
    expect(unetOptions({ name: 'unet', ...options })).toMatchObject(options)
    expect(unetOptions({ name: 'resnet' })).toBeNull()
  })
})

describe('groupsFor', () => {
  it.each([
    [1, 1],
    [2, 1],
    [3, 1],
    [4, 2],
    [6, 3],
    [8, 4],
    [10, 5],
    [14, 7],
    [22, 2],
    [16, 8],
    [128, 8],
  ])('divides %i channels into %i groups', (channels, groups) => {
    expect(groupsFor(channels)).toBe(groups)
  })
})

describe.each(['wasm', 'cpu'])('forwardOf on %s', (backend) => {
  beforeAll(async () => {
    await tf.setBackend(backend)
  })

  it.each(kinds)('predicts what the layers predict: %s, %s, base %i', (...kind) => {
    const unet = network(...kind)
    perturb(unet)
    const input = randomImages(2, 12, 20)
    const before = tf.memory().numTensors
    const [ours, theirs] = tf.tidy(() => {
      const images = tf.tensor4d(input, [2, 12, 20, 1])
      return [forwardOf(unet)(images, false).dataSync(), only(unet.apply(images)).dataSync()]
    })
    expect(ours.length).toBe(2 * 12 * 20 * 3)
    expectClose(ours, theirs)
    expect(tf.memory().numTensors).toBe(before)
    unet.dispose()
  })

  it.each(kinds)('does in training what the layers do in training: %s, %s, base %i', (...kind) => {
    const [ours, theirs] = [network(...kind), network(...kind)]
    perturb(ours)
    perturb(theirs)
    const input = randomImages(3, 8, 12)
    const [got, want] = tf.tidy(() => {
      const images = tf.tensor4d(input, [3, 8, 12, 1])
      return [forwardOf(ours)(images, true).dataSync(), only(theirs.apply(images, { training: true })).dataSync()]
    })
    expectClose(got, want)
    ours.nonTrainableWeights.forEach((weight, i) => {
      expectClose(weight.read().dataSync(), theirs.nonTrainableWeights[i]?.read().dataSync() ?? [])
    })
    expect(ours.nonTrainableWeights.length > 0).toBe(kind[0] === 'batch')
    ours.dispose()
    theirs.dispose()
  })

  it.each(kinds)('learns: %s, %s, base %i', async (...kind) => {
    const unet = network(...kind)
    const before = tf.memory().numTensors
    const variables = unet.trainableWeights.map((weight) => weight.read()).filter(isVariable)
    const optimizer = createAdam(variables)
    // The plain loops of `js` take their time.
    const [size, steps] = backend === 'cpu' ? [8, 6] : [16, 8]
    const images = randomImages(2, size, size)
    const classes = Uint8Array.from(images, (value) => Math.floor(3 * value))
    const losses: number[] = []
    for (let step = 0; step < steps; step++) {
      losses.push(await trainingStep(unet, variables, optimizer, { images, classes }, size, 1e-2))
    }
    expect(losses.at(-1)).toBeLessThan(0.98 * (losses[0] ?? NaN))
    optimizer.dispose()
    expect(tf.memory().numTensors).toBe(before)
    unet.dispose()
  })

  it('reads a network with group normalization back from its description and weights', async () => {
    const unet = network('group', 'transposed', 4)
    perturb(unet)
    let saved: tf.io.ModelArtifacts = {}
    await unet.save(
      tf.io.withSaveHandler(async (artifacts) => {
        saved = artifacts
        return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } }
      }),
    )
    expect(JSON.stringify(saved.modelTopology)).toContain('"class_name":"GroupNormalization"')
    const read = await layers.loadLayersModel({ load: async () => saved })
    const images = tf.tensor4d(randomImages(1, 8, 8), [1, 8, 8, 1])
    const [got, want] = tf.tidy(() => [only(read.apply(images)).dataSync(), only(unet.apply(images)).dataSync()])
    expect(got).toEqual(want)
    images.dispose()
    read.dispose()
    unet.dispose()
  })
})
