import { beforeAll, describe, expect, it } from 'vitest'
import { inferenceSettingsSchema, instanceSettingsSchema } from '../../core/contract/recipes.ts'
import { memoryStore } from '../../imaging/index.ts'
import { startRuntime } from '../runtime/start.ts'
import { predictImage } from './predictImage.ts'
import { pointwise, threshold } from './testing/pointwise.ts'
import type { Affine, Dims } from '../../core/contract/schemas.ts'
import type { ImageVolume } from '../../imaging/index.ts'

const MINUTES = 60_000

beforeAll(async () => {
  await startRuntime({ backend: 'wasm', threads: 1 })
}, MINUTES)

const AXES: Affine = [
  [-1, 0, 0, 0],
  [0, 1, 0, 0],
  [0, 0, 1, 0],
  [0, 0, 0, 1],
]

function volume(dims: Dims, data: Uint8Array<ArrayBuffer>, affine: Affine | null, channels: 1 | 3 = 1): ImageVolume {
  const spacing: [number, number, number] = [1, 1, 1]
  return {
    info: {
      ...{ format: 'nifti1', dims: [...dims, 1], spacing, spacingKnown: true, datatype: 'uint8', channels },
      ...{ channelNames: [], complex: false, tiled: false, disagreement: null, affine, affineSource: 'sform' },
      ...{ orientation: null, slope: 1, inter: 0, byteOrder: 'little', compressed: false, frames: 1, levels: 1 },
      warnings: [],
    },
    kind: affine === null ? 'image' : 'volume',
    ...{ dims, channels, voxelType: 'uint8', slope: 1, inter: 0, affine, spacing, spacingKnown: true },
    voxels: memoryStore(data, dims, channels),
    orientation: null,
    source: { kind: 'raster', path: 'x.png' },
    warnings: [],
  }
}

function samples(count: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: count }, (_, i) => ((i * 7919) % 1013) % 256)
}

describe('predictImage', () => {
  it.each([[[1, 1, 1]], [[35, 50, 1]], [[3, 200, 1]]] satisfies [Dims][])(
    'labels every pixel of %j in its place',
    async (dims) => {
      const data = samples(dims[0] * dims[1])
      const model = threshold({ inference: inferenceSettingsSchema.parse({ flips: 'both', quarterTurns: true }) }, 16)
      const { labels, probabilities, entropy, objects } = await predictImage(model, volume(dims, data, null))
      expect([...labels]).toEqual([...data].map((value) => (value / 255 > 0.5 ? 7 : 0)))
      expect([probabilities, entropy, objects]).toEqual([null, null, null])
      model.network.dispose()
    },
  )

  it('gives probabilities class by class and their entropy', async () => {
    const data = samples(30)
    const model = pointwise([[0, 2, -3]], [0, 0.5, 1], [4, 9])
    const result = await predictImage(model, volume([6, 5, 1], data, null), { probabilities: true, entropy: true })
    expect(result.probabilities?.values).toEqual([0, 4, 9])
    data.forEach((raw, i) => {
      const x = raw / 255
      const powers = [0, 2 * x + 0.5, -3 * x + 1].map(Math.exp)
      const sum = powers.reduce((a, b) => a + b, 0)
      const shares = powers.map((power) => power / sum)
      shares.forEach((share, c) => expect(result.probabilities?.data[c * 30 + i]).toBeCloseTo(share, 5))
      const entropy = -shares.reduce((total, share) => total + share * Math.log(share), 0) / Math.log(3)
      expect(result.entropy?.[i]).toBeCloseTo(entropy, 5)
      expect(result.labels[i]).toBe([0, 4, 9][shares.indexOf(Math.max(...shares))])
    })
    model.network.dispose()
  })

  it('takes colours, and labels for themselves above a threshold', async () => {
    const data = Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 200, 0)
    const inference = inferenceSettingsSchema.parse({ threshold: 0.4 })
    const relu = pointwise([[1, 0], [0, 1], [0.3, 0]], [0, 0], [1, 2], { output: 'relu', inference }) // prettier-ignore
    const { labels, probabilities } = await predictImage(relu, volume([4, 1, 1], data, null, 3), {
      probabilities: true,
    })
    expect([...labels]).toEqual([1, 2, 0, 1])
    expect(probabilities?.values).toEqual([1, 2])
    relu.network.dispose()
    const sigmoid = pointwise([[4, 0], [0, 4], [0, 0]], [-2, -2], [1, 2], { output: 'sigmoid', inference }) // prettier-ignore
    const second = await predictImage(sigmoid, volume([4, 1, 1], data, null, 3), { entropy: true })
    expect([...second.labels]).toEqual([1, 2, 0, 1])
    const p = 1 / (1 + Math.exp(2))
    const binary = -(p * Math.log2(p) + (1 - p) * Math.log2(1 - p))
    expect(second.entropy?.[2]).toBeCloseTo(binary, 5)
    sigmoid.network.dispose()
  })

  it('counts the border of objects as their label', async () => {
    // Background, inside, border: at 0 the border, in the middle the background by little, at 1 the inside.
    const model = pointwise([[0, 6, -6]], [0.5, -4, 2], [3], { border: true })
    const result = await predictImage(model, volume([3, 1, 1], Uint8Array.of(0, 120, 255), null), {
      probabilities: true,
    })
    expect([...result.labels]).toEqual([3, 0, 3])
    expect(result.probabilities?.values).toEqual([0, 3])
    const [first = NaN, , , inside = NaN] = result.probabilities?.data ?? []
    expect(first + inside).toBeCloseTo(1, 5)
    model.network.dispose()
  })

  it('resizes in and back', async () => {
    const data = new Uint8Array(64 * 48)
    for (let y = 16; y < 40; y++) data.fill(255, y * 64 + 8, y * 64 + 40)
    const model = threshold({ resize: { kind: 'factor', factor: 0.5 } }, 4)
    const { labels } = await predictImage(model, volume([64, 48, 1], data, null))
    let wrong = 0
    labels.forEach((label, i) => (wrong += label === (data[i] === 255 ? 7 : 0) ? 0 : 1))
    // Rounded corners are all that linear interpolation leaves.
    expect(wrong).toBeLessThanOrEqual(4)
    model.network.dispose()
  })

  it.each([[['training']], [['coronal']], [['axial', 'coronal', 'sagittal']]] as const)(
    'puts the slices of %j where they were, whatever the orientation',
    async (planes) => {
      const dims: Dims = [5, 6, 7]
      const data = samples(210)
      const model = threshold({}, 4)
      for (const affine of [
        AXES,
        [
          [0, 0, 1, 0],
          [-1, 0, 0, 0],
          [0, -1, 0, 0],
          [0, 0, 0, 1],
        ] as Affine,
      ]) {
        // prettier-ignore
        const { labels } = await predictImage(model, volume(dims, data, affine), { inference: { planes: [...planes] } })
        expect([...labels]).toEqual([...data].map((value) => (value / 255 > 0.5 ? 7 : 0)))
      }
      model.network.dispose()
    },
  )

  it('turns oblique slices back', async () => {
    const dims: Dims = [6, 24, 20]
    const data = new Uint8Array(6 * 24 * 20)
    const inside = (x: number, y: number, z: number) => x > 1 && x < 5 && (y - 12) ** 2 + (z - 9) ** 2 < 36
    for (let z = 0, i = 0; z < 20; z++)
      for (let y = 0; y < 24; y++) for (let x = 0; x < 6; x++) data[i++] = inside(x, y, z) ? 255 : 0
    const model = threshold({}, 4)
    const { labels } = await predictImage(model, volume(dims, data, AXES), { inference: { planes: ['oblique'] } })
    let both = 0
    let either = 0
    labels.forEach((label, i) => {
      const truth = data[i] === 255
      if (truth && label === 7) both++
      if (truth || label === 7) either++
    })
    expect(both / either).toBeGreaterThan(0.9)
    model.network.dispose()
  })

  it('leaves out parts and fills holes of the whole volume', async () => {
    const dims: Dims = [7, 7, 7]
    const data = new Uint8Array(343)
    const at = (x: number, y: number, z: number): number => x + 7 * (y + 7 * z)
    for (let z = 1; z < 6; z++) for (let y = 1; y < 6; y++) for (let x = 1; x < 6; x++) data[at(x, y, z)] = 255
    data[at(3, 3, 3)] = 0
    const wanted = [...data].map((value) => (value > 0 ? 7 : 0))
    wanted[at(3, 3, 3)] = 7
    data.set([255, 255], at(0, 0, 0))
    data[at(0, 6, 6)] = 255
    const model = threshold()
    const { labels } = await predictImage(model, volume(dims, data, AXES), {
      inference: { largestComponent: true, fillHoles: true },
    })
    // At the corners the single voxels touch the cube, and belong to it; what is two away does not.
    wanted.fill(7, at(0, 0, 0), at(2, 0, 0))
    wanted[at(0, 6, 6)] = 7
    expect([...labels]).toEqual(wanted)
    for (let z = 0; z < 7; z++) for (let y = 0; y < 7; y++) data[at(5, y, z)] = 0
    data[at(6, 3, 3)] = 255
    const parted = await predictImage(model, volume(dims, data, AXES), { inference: { smallest: 2 } })
    expect(parted.labels[at(6, 3, 3)]).toBe(0)
    expect(parted.labels[at(4, 3, 3)]).toBe(7)
    model.network.dispose()
  })

  it('tells objects apart', async () => {
    const dims: Dims = [60, 30, 1]
    const data = new Uint8Array(1800)
    for (let y = 0; y < 30; y++) {
      for (let x = 0; x < 60; x++) {
        const inside = [18, 38].some((centre) => (x - centre) ** 2 + (y - 15) ** 2 < 121)
        data[y * 60 + x] = inside ? 255 : 0
      }
    }
    data[0] = 255
    const instances = instanceSettingsSchema.parse({ kind: 'distance', label: 7, smallest: 5 })
    const model = threshold({ instances })
    const { objects } = await predictImage(model, volume(dims, data, null), { instances: true })
    expect(objects?.[0]).toBe(0)
    expect(objects?.[15 * 60 + 18]).toBe(1)
    expect(objects?.[15 * 60 + 38]).toBe(2)
    objects?.forEach((id, i) => {
      const x = i % 60
      if (id !== 0) expect(id === 1 ? x <= 28 : x >= 28).toBe(true)
    })
    model.network.dispose()
  })

  it('refuses objects of a label that the model does not have', async () => {
    const model = threshold()
    const objects = instanceSettingsSchema.parse({ kind: 'distance', label: 3 })
    const asked = predictImage(model, volume([4, 4, 1], samples(16), null), { instances: true, objects })
    const message = 'P has no label 3 whose objects could be told apart; set instances.label to one of 7.'
    await expect(asked).rejects.toMatchObject({ code: 'bad-request', message })
    model.network.dispose()
  })

  it('says so where memory is too short for an image', async () => {
    const model = threshold()
    const asked = predictImage(model, volume([4, 4, 1], samples(16), null), {
      onProgress: () => {
        new Float32Array(2 ** 50).fill(1)
      },
    })
    const message = expect.stringMatching(/4 x 4 x 1 at once; crop it/) as string
    await expect(asked).rejects.toMatchObject({ code: 'bad-request', message })
    model.network.dispose()
  })

  it('tells how far it is, and stops when it is cancelled', async () => {
    const model = threshold()
    const cancel = new AbortController()
    const shares: number[] = []
    const image = volume([40, 40, 9], samples(14_400), AXES)
    const running = predictImage(model, image, {
      signal: cancel.signal,
      inference: { planes: ['axial', 'sagittal'] },
      onProgress: (share) => {
        shares.push(share)
        if (share > 0.5) cancel.abort()
      },
    })
    await expect(running).rejects.toMatchObject({ code: 'cancelled' })
    expect(shares.every((share, i) => share >= (shares[i - 1] ?? 0) && share <= 1)).toBe(true)
    model.network.dispose()
  })
})
