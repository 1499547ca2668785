import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers'
import '@tensorflow/tfjs-backend-cpu'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { registerJsKernels } from '../kernels/index.ts'
import { readFloats } from '../runtime/tensors.ts'
import { checkArchitecture, modelCard } from './card.ts'
import { readEncoder } from './encoder.ts'
import { loadModel, readModelFiles, saveModel } from './files.ts'
import { forwardOf } from './forward.ts'
import { buildRecipeNetwork } from './recipeNetwork.ts'
import { inputSize, marginOf, offsetOf } from './sizes.ts'
import { buildUNet } from './unet.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { NetworkInput } from '../../core/contract/compute.ts'
import type { ModelSettings } from '../../core/contract/recipes.ts'
import type { Handling } from '../../core/contract/modelCard.ts'

const PAPER = {
  ...{ kind: 'unet', levels: 4, base: 64, convolutions: 'valid', normalization: 'none', upsampling: 'transposed' },
  ...{ dropout: 0.5, encoder: null },
} as const satisfies ModelSettings

const SMALL = { ...PAPER, levels: 2, base: 8, convolutions: 'same', upsampling: 'nearest', dropout: 0 } as const

let folder = ''
beforeAll(async () => {
  await tf.setBackend('cpu')
  registerJsKernels()
  folder = await mkdtemp(path.join(tmpdir(), 'networks-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

function build(settings: ModelSettings, channels: 1 | 3 = 1, outputs = 2) {
  return buildRecipeNetwork(settings, { channels, outputs, seed: 3 })
}

function convolutions({ layers }: LayersModel) {
  return layers.filter((layer) => ['Conv2D', 'Conv2DTranspose'].includes(layer.getClassName()))
}

/** Heights of the results of all layers for an image of this height, by the layers' own rules. */
function heights({ layers }: LayersModel, size: number, channels: number): Map<string, number> {
  const shapes = new Map<string, number[]>()
  for (const layer of layers) {
    const before = layer.inboundNodes.flatMap(({ inboundLayers }) =>
      inboundLayers.map(({ name }) => shapes.get(name) ?? []),
    )
    const [first = []] = before
    const shape = layer.computeOutputShape(before.length > 1 ? before : first)
    const given = [1, size, size, channels]
    shapes.set(layer.name, before.length === 0 ? given : (shape as number[]))
  }
  return new Map([...shapes].map(([name, [, height = 0]]) => [name, height]))
}

describe('buildRecipeNetwork', () => {
  it('builds the network of the paper: 23 convolutions, 572 in, 388 out, 31,030,658 weights', () => {
    const { network, architecture } = build(PAPER)
    expect(convolutions(network)).toHaveLength(23)
    const at = heights(network, 572, 1)
    // Figure 1 of the paper, from left to right.
    const names = ['down0_2', 'down1_2', 'down2_2', 'down3_2', 'middle_2', 'up3_2', 'up2_2', 'up1_2', 'up0_2', 'logits']
    expect(names.map((name) => at.get(name))).toEqual([568, 280, 136, 64, 28, 52, 100, 196, 388, 388])
    expect(['crop3', 'crop2', 'crop1', 'crop0'].map((name) => at.get(name))).toEqual([56, 104, 200, 392])
    // Each convolution has k k c f weights and f biases.
    const conv = (k: number, c: number, f: number) => k * k * c * f + f
    const down = [1, 64, 128, 256, 512].map((c, i) => conv(3, c, 64 * 2 ** i) + conv(3, 64 * 2 ** i, 64 * 2 ** i))
    const up = [512, 256, 128, 64].map((f) => conv(2, 2 * f, f) + conv(3, 2 * f, f) + conv(3, f, f))
    const sum = [...down, ...up, conv(1, 64, 2)].reduce((a, b) => a + b, 0)
    expect(sum).toBe(31_030_658)
    expect(network.countParams()).toBe(sum)
    expect(architecture).toMatchObject({ name: 'unet', step: 16, convolutions: 'valid', margin: 92, dropout: 0.5 })
    network.dispose()
    const colour = build(PAPER, 3)
    // Two more channels in the first convolution: 2 x 9 x 64.
    expect(colour.network.countParams()).toBe(31_031_810)
    colour.network.dispose()
  })

  it('builds the small network of the nerve article: 3, 6, 12, 24 and 48 maps', () => {
    const { network } = build({ ...SMALL, levels: 4, base: 3 }, 1, 1)
    const filters = convolutions(network).map((layer) => layer.outputShape.at(-1))
    expect(filters).toEqual([3, 3, 6, 6, 12, 12, 24, 24, 48, 48, 24, 24, 12, 12, 6, 6, 3, 3, 1])
    // 9 c f + f each, by hand: 30+84, 168+330, 660+1308, 2616+5208, 10416+20784, 15576+5208, 3900+1308, 978+330, 246+84, 4.
    expect(network.countParams()).toBe(114 + 498 + 1968 + 7824 + 31_200 + 20_784 + 5208 + 1308 + 330 + 4)
    network.dispose()
  })

  it('builds the standard network of the same size', () => {
    const { network, architecture } = build({ ...SMALL, levels: 4, base: 16, normalization: 'batch' }, 3, 3)
    const conv = (k: number, c: number, f: number) => k * k * c * f + 4 * f
    const down = [3, 16, 32, 64, 128].map((c, i) => conv(3, c, 16 * 2 ** i) + conv(3, 16 * 2 ** i, 16 * 2 ** i))
    const up = [128, 64, 32, 16].map((f) => conv(3, 3 * f, f) + conv(3, f, f))
    expect(network.countParams()).toBe([...down, ...up, 16 * 3 + 3].reduce((a, b) => a + b, 0))
    expect(heights(network, 64, 3).get('logits')).toBe(64)
    expect(architecture).toEqual({
      ...{
        name: 'unet',
        levels: 4,
        base: 16,
        inputChannels: 3,
        step: 16,
        normalization: 'batch',
        upsampling: 'nearest',
      },
    })
    network.dispose()
  })

  it('builds Inception blocks in the contracting path', () => {
    const { network } = build({ ...SMALL, kind: 'unet-inception' }, 3, 3)
    // A block of f channels from c: a c f/4, b c f/4 + 9 f/4 f/2, c c f/8 + 2 x 9 f/8 f/8, d c f/8, and a bias each.
    const block = (c: number, f: number) =>
      (c * f) / 4 + (c * f) / 4 + (9 * f * f) / 8 + (c * f) / 8 + (18 * f * f) / 64 + (c * f) / 8 + (3 * f) / 2
    const conv = (k: number, c: number, f: number) => k * k * c * f + f
    const down = conv(3, 3, 8) + block(8, 8) + block(8, 16) + block(16, 16) + block(16, 32) + block(32, 32)
    const up = conv(3, 48, 16) + conv(3, 16, 16) + conv(3, 24, 8) + conv(3, 8, 8) + conv(1, 8, 3)
    expect(network.countParams()).toBe(down + up)
    // 1 + 5 blocks of 7, 4 going up and the head.
    expect(convolutions(network)).toHaveLength(1 + 5 * 7 + 4 + 1)
    network.dispose()
  })

  it('refuses Inception blocks of too few channels, or without borders', () => {
    expect(() => build({ ...SMALL, kind: 'unet-inception', base: 3 })).toThrow('needs a base of 4')
    expect(() => build({ ...SMALL, kind: 'unet-inception', convolutions: 'valid' })).toThrow('no valid convolutions')
  })

  it.each([1, 2, 3, 4, 5])('knows which sizes a network with valid convolutions takes: %i levels', (levels) => {
    const { network, architecture } = build({ ...PAPER, levels, base: 1 })
    const margin = marginOf(architecture)
    for (let size = inputSize(architecture, 1), k = 0; k < 3; k++, size = inputSize(architecture, size + 1)) {
      const at = heights(network, size, 1)
      expect([...at.values()].every((height) => height > 0 && Number.isInteger(height))).toBe(true)
      expect(at.get('logits')).toBe(size - 2 * margin)
      // Nothing is left over at any pooling.
      for (let level = 0; level < levels; level++) {
        expect(at.get(`down${level}_2`)).toBe(2 * (at.get(`pool${level}`) ?? 0))
      }
      expect((size - offsetOf(architecture)) % architecture.step).toBe(0)
    }
    network.dispose()
  })

  it('computes what cropping and valid convolutions say', async () => {
    const { network, architecture } = build({ ...PAPER, levels: 1, base: 4, dropout: 0 })
    const size = inputSize(architecture, 30)
    const image = tf.randomUniform([1, size, size, 1], 0, 1, 'float32', 4)
    const ours = tf.tidy(() => forwardOf(network)(image, false))
    const theirs = tf.tidy(() => network.predict(image) as tf.Tensor)
    expect(ours.shape).toEqual([1, size - 16, size - 16, 2])
    const [a, b] = [await readFloats(ours), await readFloats(theirs)]
    a.forEach((value, i) => {
      expect(Math.abs(value - (b[i] ?? NaN))).toBeLessThan(1e-5)
    })
    tf.dispose([image, ours, theirs])
    network.dispose()
  })
})

const handling: Handling = {
  ...{ resize: { kind: 'none' }, output: 'softmax', border: false, instances: null },
  inference: {
    ...{ overlap: 0.25, flips: 'none', quarterTurns: false, planes: ['training'], largestComponent: false },
    ...{ fillHoles: false, smallest: 0, threshold: 0.5 },
  },
}
const input: NetworkInput = {
  colour: { kind: 'rgb' },
  normalization: { kind: 'none' },
  standardize: { mean: [0.1, 0.2, 0.3], deviation: [1, 2, 3] },
}
const identity = { id: 'a', parentId: null, name: 'A', createdAt: '2026-01-01T00:00:00.000Z' }
const labels = [
  { value: 1, name: 'One' },
  { value: 2, name: 'Two' },
]

describe('cards of format 4', () => {
  it.each([
    ['background and labels', 'softmax', false, 3, SMALL],
    ['a border beside them', 'softmax', true, 4, SMALL],
    ['labels alone', 'sigmoid', false, 2, SMALL],
    ['values cut at 0', 'relu', false, 2, { ...SMALL, levels: 3, base: 3 }],
    ['valid convolutions and dropout', 'softmax', false, 3, { ...PAPER, levels: 2, base: 4 }],
    ['Inception blocks', 'softmax', true, 4, { ...SMALL, kind: 'unet-inception', normalization: 'group' }],
  ] as const)('are written and read: %s', async (title, output, border, outputs, settings) => {
    const { network, architecture } = build(settings, 3, outputs)
    const facts = {
      recipe: 'wbc',
      recipeUse: {
        input: { ...input, standardize: { mean: [0], deviation: [1] } },
        handling: { ...handling, output, border },
      },
    }
    const card = modelCard({ ...identity, labels }, { network, architecture, training: null }, facts)
    const dir = path.join(folder, title.replaceAll(' ', '-'))
    await saveModel(dir, network, card)
    const read = await loadModel(dir)
    expect(read.card).toMatchObject({
      ...{ format: 4, background: { channel: output === 'softmax' ? 0 : null, value: 0 }, architecture, recipe: 'wbc' },
      ...{ handling: { ...handling, output, border }, input: facts.recipeUse.input },
    })
    expect(read.network.countParams()).toBe(network.countParams())
    read.network.dispose()
    network.dispose()
  })

  it('are refused where they do not fit the network', async () => {
    const { network, architecture } = build(SMALL, 3, 3)
    const card = modelCard(
      { ...identity, labels },
      { network, architecture, training: null },
      { recipeUse: { input, handling } },
    )
    const dir = path.join(folder, 'fits')
    await saveModel(dir, network, card)
    network.dispose()
    const { topology } = await readModelFiles(dir)
    const check = (change: Partial<typeof card>) => () => {
      checkArchitecture({ ...card, ...change }, topology, 'card.json')
    }
    expect(check({})).not.toThrow()
    expect(check({ handling: { ...handling, border: true } })).toThrow('says 4 output channels')
    expect(check({ handling: { ...handling, output: 'sigmoid' } })).toThrow('says 2 output channels')
    expect(check({ background: { channel: null, value: 0 } })).toThrow('background')
    expect(check({ architecture: { ...architecture, margin: 4 } })).toThrow('says 4 pixels as the margin')
    expect(check({ architecture: { ...architecture, convolutions: 'valid' } })).toThrow('pixels')
    const grey: NetworkInput = { ...input, colour: { kind: 'luminance', weights: [0.3, 0.6, 0.1] } }
    expect(check({ input: grey })).toThrow('prepares 1 channels')
    expect(check({ input: { ...input, standardize: { mean: [1, 2], deviation: [1, 1] } } })).toThrow('standardizes')
  })
})

describe('readEncoder', () => {
  it('takes the weights of a contracting path whose names and shapes agree, and says how many', async () => {
    const settings = { ...SMALL, kind: 'unet-inception', normalization: 'batch' } as const
    const given = build(settings, 3, 3)
    const dir = path.join(folder, 'encoder')
    const card = modelCard({ ...identity, labels }, { ...given, training: null }, { recipeUse: { input, handling } })
    await saveModel(dir, given.network, card)
    const { network } = buildRecipeNetwork(settings, { channels: 3, outputs: 5, seed: 77 })
    const other = await valuesOf(network, 'up1_1')
    // 36 convolutions, each with a filter, scale, shift and two moving statistics.
    expect(await readEncoder(dir, network)).toEqual({ taken: 180, of: 180 })
    expect(await valuesOf(network, 'down1_2_b2')).toEqual(await valuesOf(given.network, 'down1_2_b2'))
    expect(await valuesOf(network, 'up1_1')).toEqual(other)
    // Of a network with other channels in the image all but the first filter.
    const grey = buildRecipeNetwork(settings, { channels: 1, outputs: 2, seed: 5 })
    expect(await readEncoder(dir, grey.network)).toEqual({ taken: 179, of: 180 })
    const plain = build({ ...SMALL, base: 7 })
    await expect(readEncoder(dir, plain.network)).rejects.toThrow('no weights whose names and shapes fit')
    await expect(readEncoder(path.join(folder, 'none'), plain.network)).rejects.toThrow('is missing')
    for (const each of [given.network, network, grey.network, plain.network]) each.dispose()
  })
})

async function valuesOf(network: LayersModel, name: string): Promise<Float32Array[]> {
  return await Promise.all(
    network
      .getLayer(name)
      .getWeights()
      .map(async (weight) => await readFloats(weight)),
  )
}

it('leaves networks as they were for the same seed', async () => {
  const options = { levels: 1, base: 4, classes: 2, seed: 5, normalization: 'batch', upsampling: 'transposed' } as const
  const [first, second] = [buildUNet(options), buildUNet({ ...options, dropout: 0.5 })]
  expect(await valuesOf(second, 'logits')).toEqual(await valuesOf(first, 'logits'))
  first.dispose()
  second.dispose()
})
