import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PERCENTILE_INPUT } from '../../core/contract/compute.ts'
import { createModelCache } from '../models/cache.ts'
import { loadModel } from '../models/files.ts'
import { predictSlices } from '../inference/predict.ts'
import { loadOnnxRuntime } from '../native/session/package.ts'
import { createForeignEngine } from './engine.ts'
import { importNetwork } from './importing.ts'
import { inspectNetwork } from './inspect.ts'
import { preparedSlice } from './prepare.ts'
import { tinyNetwork } from './testing/networks.ts'
import type { ComputeSlice, NetworkMeaning } from '../../core/contract/compute.ts'
import type { TinyOptions } from './testing/networks.ts'

let dir = ''
const engine = createForeignEngine({ entry: null, threads: 1, packagesDir: null })
const runtime = loadOnnxRuntime(null)
const inspect = (options: TinyOptions = {}) => inspectNetwork(tinyNetwork(options), runtime, 1)

beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'maskwright-foreign-'))
})
afterAll(async () => {
  await rm(dir, { recursive: true, force: true })
})

const grey = (values: readonly number[], change: Partial<ComputeSlice> = {}): ComputeSlice => ({
  ...{ index: 0, width: values.length, height: 1, channels: 1, voxelType: 'uint8', data: Uint8Array.from(values) },
  ...{ slope: 1, inter: 0, low: 0, high: 255, ...change },
})

async function imported(name: string, options: TinyOptions, change: Partial<NetworkMeaning> = {}) {
  const file = path.join(dir, `${name}.onnx`)
  await writeFile(file, tinyNetwork(options))
  const facts = await inspect(options)
  const meaning: NetworkMeaning = {
    ...{ name, classes: ['Bright'], input: PERCENTILE_INPUT, spacing: null },
    ...change,
  }
  const values = meaning.classes.map((_, at) => 10 * (at + 1))
  const order = { file, facts, outDir: path.join(dir, name), meaning, modelId: name, createdAt: '2026-01-01', values }
  return { ...(await importNetwork(engine, order, {})), outDir: order.outDir, order }
}

async function labels(outDir: string, slice: ComputeSlice): Promise<number[]> {
  const models = createModelCache(engine)
  const [predicted] = await models.withAny(outDir, (model) => predictSlices(model, [slice]))
  models.drop()
  return [...(predicted?.labels ?? [])]
}

const SOFTMAX = { opType: 'Softmax', attribute: [{ name: 'axis', type: 2, i: 1 }] } as const
/** Channels from the second one on. */
const WITHOUT_FIRST = { opType: 'Slice', more: [[1], [1000], [1]] } as const

describe('inspectNetwork', () => {
  it('finds out of a network of 1 x 1: any size, no reach, two channels of logits', async () => {
    const facts = await inspect()
    expect(facts).toMatchObject({ inputChannels: 1, step: 1, base: 2, parameters: 4, stated: {}, remarks: [] })
    expect(facts.use).toMatchObject({
      input: { name: 'image', layout: 'channels-first' },
      output: { name: 'v0', layout: 'channels-first', channels: 2 },
      ...{ scores: 'logits', classes: 'exclusive', size: null, single: false, reach: 0, opset: 13, producer: 'a test' },
    })
  })

  it.each([
    [{ ends: [SOFTMAX] }, 'probabilities', 'exclusive'],
    // The background left out after it.
    [{ ends: [SOFTMAX, WITHOUT_FIRST] }, 'probabilities', 'independent'],
    [{ weights: [[0], [8], [-8]], bias: [3, -4, 4], ends: [SOFTMAX, WITHOUT_FIRST] }, 'probabilities', 'independent'],
    [{ ends: [{ opType: 'Sigmoid' }] }, 'probabilities', 'independent'],
    [{ weights: [[8]], bias: [-4] }, 'logits', 'independent'],
    [{ weights: [[8]], bias: [-4], ends: [{ opType: 'Sigmoid' }] }, 'probabilities', 'independent'],
    // By what it gives, where its end does not say it.
    [{ ends: [SOFTMAX, { opType: 'Abs' }] }, 'probabilities', 'exclusive'],
    [{ bias: [4, 0], ends: [{ opType: 'HardSigmoid' }] }, 'probabilities', 'independent'],
    // Between 0 and 1 for an ordinary picture, and logits all the same.
    [{ weights: [[0.5], [-0.5]], bias: [0.25, 0.75] }, 'logits', 'exclusive'],
    [{ weights: [[0.5], [0.1]], bias: [0.25, 0.3] }, 'logits', 'exclusive'],
    [{ weights: [[0.9]], bias: [0.05] }, 'logits', 'independent'],
  ] as const)('tells logits from probabilities, and one class from several: %o', async (options, scores, classes) => {
    expect((await inspect(options)).use).toMatchObject({ scores, classes })
  })

  it('reads what the file says of itself, and passes over what it cannot read', async () => {
    const { stated } = await inspect({
      metadata: {
        'maskwright.name': 'Livers',
        'maskwright.classes': ['Liver'],
        'maskwright.spacing': { inPlane: [0.8, 0.8], slices: 3 },
        'maskwright.input': { colour: 'unheard of' },
        other: 1,
      },
    })
    expect(stated).toEqual({ name: 'Livers', classes: ['Liver'], spacing: { inPlane: [0.8, 0.8], slices: 3 } })
  })

  it('takes one size only where the file says so', async () => {
    const facts = await inspect({ input: [1, 1, 32, 48], output: [1, 2, 32, 48] })
    expect(facts.use).toMatchObject({ size: { width: 48, height: 32 }, single: true })
  })

  const many = Array.from({ length: 300 }, () => [1])
  it.each([
    [{ moreInputs: ['prior'] }, 'has several inputs (image, prior); only networks that take one image can be used'],
    [
      { input: ['n', 1, 'd', 'h', 'w'] },
      'takes volumes (five dimensions); only networks for single slices can be used',
    ],
    [{ input: ['n', 'h', 'w'] }, 'takes 3 dimensions; images have four: number, channels, height and width'],
    [{ inputType: 2 }, 'takes numbers of type uint8; export it with float32 as input'],
    [
      { input: ['n', 4, 'h', 'w'], weights: [[1, 1, 1, 1]] },
      'takes images of 4 channels; only grey (1) and colour (3)',
    ],
    [{ input: [2, 1, 'h', 'w'] }, 'takes exactly 2 images at once, not one'],
    [{ input: ['n', 1, 64, 'w'] }, 'takes images of one fixed width or height, but not of both'],
    [{ input: ['n', 1, 9000, 9000] }, 'takes images of 9000 pixels, more than fit into memory'],
    [{ external: true }, 'keeps its weights in other files; export it again as one file that holds them'],
    [
      { ends: [{ opType: 'Warp', domain: 'my.own' }] },
      'uses the operator "Warp" of "my.own", which ONNX Runtime does not',
    ],
    [{ ends: [{ opType: 'Warp' }] }, 'uses the operator "Warp", which ONNX Runtime'],
    [
      { ends: [{ opType: 'Warp', domain: 'com.microsoft' }] },
      'uses the operator "com.microsoft:Warp", which ONNX Runtime',
    ],
    [{ opset: 99 }, /^needs version 99 of the ONNX operators; export it for version \d+ or older$/],
    [{ input: ['n', 3, 'h', 'w'] }, 'cannot be run on an image of any size that was tried; export it for free width'],
    [{ ends: [{ opType: 'GlobalAveragePool' }], output: ['n', 2, 1, 1] }, 'so it does not segment'],
    [{ weights: many, bias: many.flat() }, 'gives 300 values a pixel; a segmentation has at most 255 classes here'],
    [{ weights: [[0], [0]], bias: [1, 1] }, 'gives the same value for every pixel, whatever it is shown'],
    [{ ends: [{ opType: 'Log' }] }, 'gives values that are no numbers for an ordinary image'],
  ] as const)('refuses %o', async (options, said) => {
    await expect(inspect(options)).rejects.toThrow(said)
  })

  it('refuses labels instead of scores', async () => {
    const asked = inspect({ ends: [{ opType: 'ArgMax', attribute: [{ name: 'axis', type: 2, i: 1 }] }], outputType: 7 })
    await expect(asked).rejects.toThrow(
      'gives int64 instead of logits or probabilities of type float32; export it without',
    )
  })

  it('refuses what is cut off, at any place', async () => {
    const whole = tinyNetwork()
    for (let length = 0; length < whole.length; length += 7) {
      const cut = whole.slice(0, length)
      await expect(inspectNetwork(cut, runtime, 1), `${length} bytes`).rejects.toThrow()
    }
  })
})

describe('an imported network', () => {
  it('is a folder that seals itself, gives what the file gave, and predicts the labels of its classes', async () => {
    const { card, maxDifference, outDir } = await imported('bright', {})
    expect(maxDifference).toBe(0)
    expect(card).toMatchObject({ format: 3, architecture: { name: 'onnx' }, labels: [{ value: 10, name: 'Bright' }] })
    expect(await labels(outDir, grey([0, 127, 128, 255]))).toEqual([0, 0, 10, 10])
  })

  it('of classes that do not exclude each other: the strongest that says yes, else background', async () => {
    const options = { weights: [[8], [16]], bias: [-2, -8.5], ends: [{ opType: 'Sigmoid' }] }
    const both = await imported('both', options, { classes: ['A', 'B'] })
    expect(both.card.background).toEqual({ channel: null, value: 0 })
    // Of 255: at 51 (0.2) neither, at 102 (0.4) A alone, at 255 B is the stronger one.
    expect(await labels(both.outDir, grey([51, 102, 255]))).toEqual([0, 10, 20])
    const first = await imported('first', options, { classes: ['B'] })
    expect(await labels(first.outDir, grey([51, 102, 255]))).toEqual([0, 0, 10])
  })

  it('of a softmax without its background: each class where it has more than half', async () => {
    const options = { weights: [[0], [8], [-8]], bias: [3, -4, 4], ends: [SOFTMAX, WITHOUT_FIRST] }
    const { outDir } = await imported('sliced', options, { classes: ['Bright', 'Dark'] })
    // Of 255: at 0 dark has 0.73, at 127 the background 0.91, at 255 bright 0.73.
    expect(await labels(outDir, grey([0, 127, 255]))).toEqual([20, 0, 10])
  })

  it('is not trained, and says so', async () => {
    const { outDir } = await imported('trained', {})
    const models = createModelCache(engine)
    await expect(models.with(outDir, () => Promise.resolve())).rejects.toThrow('trained was imported and only predicts')
    await expect(loadModel(outDir)).rejects.toThrow('card.json is that of an imported network, which only predicts')
  })

  it('is refused where a file of it was changed', async () => {
    const { outDir } = await imported('changed', {})
    const file = path.join(outDir, 'model.onnx')
    const bytes = await readFile(file)
    await writeFile(file, Buffer.concat([bytes, Buffer.of(0)]))
    await expect(labels(outDir, grey([0]))).rejects.toThrow('model.onnx is damaged or belongs to another model')
    await writeFile(file, bytes)
    const card = path.join(outDir, 'card.json')
    await writeFile(card, (await readFile(card, 'utf8')).replace('Bright', 'Dark'))
    await expect(labels(outDir, grey([0]))).rejects.toThrow('card.json was changed after the model was saved')
  })

  it('is not written where the file changed since it was looked at, or the classes do not fit', async () => {
    const { order } = await imported('again', {})
    const outDir = path.join(dir, 'not-there')
    const meaning = { ...order.meaning, classes: ['A', 'B'] }
    const twoClasses = importNetwork(engine, { ...order, outDir, meaning, values: [1, 2] }, {})
    await expect(twoClasses).rejects.toMatchObject({ code: 'bad-request' })
    await writeFile(order.file, tinyNetwork({ bias: [3, -3] }))
    await expect(importNetwork(engine, { ...order, outDir }, {})).rejects.toThrow('changed since it was looked at')
    await expect(stat(outDir)).rejects.toThrow('ENOENT')
  })

  it('leaves nothing where it gives something else than the file did', async () => {
    const { order } = await imported('other', {})
    const outDir = path.join(dir, 'different')
    const sample = { ...order.facts.sample, values: order.facts.sample.values.map((value) => value + 1) }
    const different = importNetwork(engine, { ...order, outDir, facts: { ...order.facts, sample } }, {})
    await expect(different).rejects.toMatchObject({ code: 'verify-failed' })
    await expect(stat(outDir)).rejects.toThrow('ENOENT')
  })
})

describe('preparedSlice', () => {
  const luminance = PERCENTILE_INPUT.colour
  const prepared = (slice: ComputeSlice, input: NetworkMeaning['input'], channels = 1) =>
    [...preparedSlice(slice, input, channels)].map((value) => Number(value.toFixed(4)))

  it('scales by percentiles, by a window, by each slice, or not at all', () => {
    const slice = grey([0, 50, 100, 150], { slope: 2, inter: -100, low: 0, high: 200 })
    const by = (normalization: NetworkMeaning['input']['normalization']) =>
      prepared(slice, { colour: luminance, normalization })
    expect(by(PERCENTILE_INPUT.normalization)).toEqual([0, 0, 0.5, 1])
    expect(by({ kind: 'window', from: -100, to: 100 })).toEqual([0, 0.5, 1, 1])
    expect(by({ kind: 'none' })).toEqual([-100, 0, 100, 200])
    // Mean 50, deviation sqrt(12500).
    expect(by({ kind: 'zscore', over: 'slice' })).toEqual([-1.3416, -0.4472, 0.4472, 1.3416])
  })

  it('keeps three colours apart, one after the other, each with its mean and deviation', () => {
    const slice = grey([0, 102, 255, 51, 0, 0], { width: 2, channels: 3 })
    const normalization = { kind: 'window', from: 0, to: 255 } as const
    expect(prepared(slice, { colour: { kind: 'rgb' }, normalization }, 3)).toEqual([0, 0.2, 0.4, 0, 1, 0])
    const standardize = { mean: [0.1, 0.2, 0.5], deviation: [0.5, 0.1, 0.25] }
    expect(prepared(slice, { colour: { kind: 'rgb' }, normalization, standardize }, 3)).toEqual([
      -0.2, 0.2, 2, -2, 2, -2,
    ])
  })

  it('shows a grey slice in all three channels, and colour as luminance to a grey network', () => {
    const normalization = { kind: 'none' } as const
    expect(prepared(grey([7]), { colour: { kind: 'rgb' }, normalization }, 3)).toEqual([7, 7, 7])
    const colour = grey([100, 0, 200], { width: 1, channels: 3 })
    expect(prepared(colour, { colour: luminance, normalization })).toEqual([29.9 + 22.8])
  })

  it('makes 0 of what is no number', () => {
    const data = new Uint8Array(Float32Array.of(NaN, Infinity, 1).buffer)
    const slice = grey([0, 0, 0], { voxelType: 'float32', data })
    expect(prepared(slice, { colour: luminance, normalization: { kind: 'none' } })).toEqual([0, 0, 1])
  })
})
