import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createModelCache } from '../models/cache.ts'
import { predictSlices } from '../inference/predict.ts'
import { classCounts } from '../../core/contract/network.ts'
import { createForeignEngine } from './engine.ts'
import { importNetwork } from './importing.ts'
import { exportFromTorch, whyNoTorch } from './testing/torch.ts'
import type { ComputeSlice, NetworkFacts } from '../../core/contract/compute.ts'

const missing = whyNoTorch()
const [WIDTH, HEIGHT] = [96, 64]
const entry = path.resolve(import.meta.dirname, '../entry.ts')
const engine = createForeignEngine({ entry, threads: 2, packagesDir: null })
const models = createModelCache(engine)
let dir = ''
let picture = new Uint8Array()

/** Smooth shapes and some noise, so that a trained or untrained network gives several classes. */
function draw(): Uint8Array<ArrayBuffer> {
  let seed = 7
  return Uint8Array.from({ length: WIDTH * HEIGHT }, (_, i) => {
    const [x, y] = [i % WIDTH, Math.floor(i / WIDTH)]
    seed = (seed * 1103515245 + 12345) % 2 ** 31
    return Math.round(120 + 80 * Math.sin(x / 9) * Math.cos(y / 7) + (40 * seed) / 2 ** 31)
  })
}

const slice = (change: Partial<ComputeSlice> = {}): ComputeSlice => ({
  ...{ index: 0, width: WIDTH, height: HEIGHT, channels: 1, voxelType: 'uint8', data: picture },
  ...{ slope: 1, inter: 0, low: 0, high: 255, ...change },
})

async function imported(name: string): Promise<{ facts: NetworkFacts; outDir: string; maxDifference: number }> {
  const file = path.join(dir, `${name}.onnx`)
  const outDir = path.join(dir, name)
  const facts = await engine.inspect(file)
  const [count = 1] = classCounts(facts.use)
  const meaning = {
    name,
    classes: Array.from({ length: count }, (_, at) => `Class ${at}`),
    input: {
      colour:
        facts.inputChannels === 3
          ? { kind: 'rgb' as const }
          : { kind: 'luminance' as const, weights: [1, 0, 0] as [number, number, number] },
      normalization: { kind: 'window' as const, from: 0, to: 255 },
    },
    spacing: null,
  }
  const order = {
    file,
    facts,
    outDir,
    meaning,
    modelId: name,
    createdAt: '2026-01-01',
    values: meaning.classes.map((_, at) => at + 1),
  }
  return { facts, outDir, ...(await importNetwork(engine, order, {})) }
}

async function predicted(outDir: string, slices: readonly ComputeSlice[]): Promise<Uint8Array[]> {
  return (await models.withAny(outDir, (model) => predictSlices(model, slices))).map(({ labels }) => labels)
}

describe.skipIf(missing !== null)(`networks exported from PyTorch${missing === null ? '' : ` (${missing})`}`, () => {
  let expected = new Uint8Array()
  beforeAll(async () => {
    dir = await mkdtemp(path.join(os.tmpdir(), 'maskwright-torch-'))
    picture = draw()
    await writeFile(path.join(dir, 'picture.bin'), picture)
    exportFromTorch(dir)
    expected = new Uint8Array(await readFile(path.join(dir, 'mask.bin')))
  }, 180_000)
  afterAll(async () => {
    models.drop()
    await rm(dir, { recursive: true, force: true })
  })

  it('a U-Net gives the same mask here, alone and with others', { timeout: 60_000 }, async () => {
    const { facts, outDir, maxDifference } = await imported('unet')
    expect(new Set(expected).size, 'there is something to compare').toBeGreaterThan(1)
    expect(facts).toMatchObject({ inputChannels: 1, step: 4, base: 8 })
    expect(facts.use).toMatchObject({ scores: 'logits', classes: 'exclusive', size: null, single: false })
    expect(maxDifference).toBeLessThan(1e-5)
    // By hand, with pixels of the lowest level 4 wide: 2 convolutions of 3 x 3 at 1, 2, 4, 2 and 1, pooling, up-sampling.
    expect(facts.use.reach).toBeGreaterThan(16)
    expect(facts.use.reach).toBeLessThan(48)
    const other = slice({ data: picture.map((value) => 255 - value), index: 1 })
    const [alone] = await predicted(outDir, [slice()])
    const [first, second] = await predicted(outDir, [slice(), other])
    expect(alone).toEqual(expected)
    expect(first).toEqual(expected)
    expect(second).not.toEqual(expected)
  })

  it('channels last with a softmax gives the same mask', { timeout: 60_000 }, async () => {
    const { facts, outDir } = await imported('last')
    expect(facts.use).toMatchObject({ scores: 'probabilities', classes: 'exclusive' })
    expect([facts.use.input.layout, facts.use.output.layout]).toEqual(['channels-last', 'channels-last'])
    expect((await predicted(outDir, [slice()]))[0]).toEqual(expected)
  })

  it(
    'of one size: that size gives the same mask, smaller and larger pictures are covered',
    { timeout: 60_000 },
    async () => {
      const { facts, outDir } = await imported('fixed')
      expect(facts.use).toMatchObject({ size: { width: WIDTH, height: HEIGHT }, single: true })
      expect(facts.remarks).toEqual([
        'It takes exactly 96 x 64 pixels: smaller images are mirrored out, larger ones are predicted in pieces.',
      ])
      expect((await predicted(outDir, [slice()]))[0]).toEqual(expected)
      const wide = new Uint8Array(2 * WIDTH * HEIGHT)
      for (let y = 0; y < HEIGHT; y++) wide.set(picture.subarray(y * WIDTH, (y + 1) * WIDTH), 2 * y * WIDTH)
      const [labels, small] = await predicted(outDir, [
        slice({ width: 2 * WIDTH, data: wide }),
        slice({ width: 10, height: 7, data: picture.subarray(0, 70) }),
      ])
      expect(small).toHaveLength(70)
      // The left end of the first piece sees what the picture alone shows there.
      const left = (mask: Uint8Array | undefined, width: number) =>
        Array.from({ length: 40 * HEIGHT }, (_, i) => mask?.[Math.floor(i / 40) * width + (i % 40)])
      expect(left(labels, 2 * WIDTH)).toEqual(left(expected, WIDTH))
    },
  )

  it('colour and one sigmoid: one label where it is above one half', { timeout: 60_000 }, async () => {
    const { facts, outDir } = await imported('colour')
    expect(facts).toMatchObject({ inputChannels: 3 })
    expect(facts.use).toMatchObject({ scores: 'probabilities', classes: 'independent', output: { channels: 1 } })
    const rgb = Uint8Array.from({ length: 3 * picture.length }, (_, i) => picture[Math.floor(i / 3)] ?? 0)
    const [coloured] = await predicted(outDir, [slice({ channels: 3, data: rgb })])
    const [grey] = await predicted(outDir, [slice()])
    expect(coloured, 'grey in three channels is the same').toEqual(grey)
  })

  it('of two inputs is refused', { timeout: 60_000 }, async () => {
    await expect(imported('two')).rejects.toMatchObject({
      code: 'bad-file',
      message: 'two.onnx has several inputs (image, prior); only networks that take one image can be used.',
    })
  })
})
