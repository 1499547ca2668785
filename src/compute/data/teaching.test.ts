import { describe, expect, it } from 'vitest'
import { augmentationSettingsSchema } from '../../core/contract/recipes.ts'
import { createBatchMaker } from './batches.ts'
import { correctedShareOf, createPatchSampler } from './patches.ts'
import { createRandom } from './random.ts'
import { IGNORED, trainingImage } from './trainingImage.ts'
import type { TrainingSample } from '../../core/contract/compute.ts'
import type { NetworkSlice } from '../recipes/types.ts'
import type { TrainingImage } from './trainingImage.ts'

const LABELS = [
  { value: 3, name: 'A' },
  { value: 7, name: 'B' },
]

describe('what of a slice teaches', () => {
  const sample: TrainingSample = {
    ...{ index: 0, width: 5, height: 1, channels: 1, voxelType: 'uint8', data: Uint8Array.of(0, 1, 2, 3, 4) },
    ...{ slope: 1, inter: 0, low: 0, high: 4, labels: Uint8Array.of(0, 7, 3, 9, 3), role: 'corrected' },
  }

  it('is what is trusted and has a label of the model', () => {
    const { classes, weight } = trainingImage({ ...sample, trusted: Uint8Array.of(1, 0, 1, 1, 0), weight: 2 }, LABELS)
    expect([...classes]).toEqual([0, IGNORED, 1, IGNORED, IGNORED])
    expect(weight).toBe(2)
  })

  it('is all of it where nothing is said, and must be said of every pixel', () => {
    expect([...trainingImage(sample, LABELS).classes]).toEqual([0, 2, 1, IGNORED, 1])
    expect(() => trainingImage({ ...sample, trusted: new Uint8Array(4) }, LABELS)).toThrow(
      expect.objectContaining({ code: 'bad-request' }),
    )
  })
})

const [WIDTH, HEIGHT] = [40, 30]

/** Its one class lies in the pixels that are named; elsewhere nothing teaches. Intensities are `brightness`. */
function image(brightness: number, teaching: readonly number[], change: Partial<TrainingImage> = {}): TrainingImage {
  const classes = new Uint8Array(WIDTH * HEIGHT).fill(IGNORED)
  for (const at of teaching) classes[at] = 1
  const intensities = new Float32Array(classes.length).fill(brightness)
  return { width: WIDTH, height: HEIGHT, role: 'corrected', image: intensities, classes, ...change }
}

/** How many of so many patches come from each image, by its brightness. */
function drawn(images: readonly TrainingImage[], batches: number, correctedShare?: number): Map<number, number> {
  const options = { count: 5, size: 8, flips: false, vary: null, correctedShare }
  const sampler = createPatchSampler(images, 3, options, createRandom(7))
  const counts = new Map<number, number>()
  for (let i = 0; i < batches; i++) {
    const batch = sampler.next()
    for (let p = 0; p < 5; p++) {
      const brightness = batch.images[p * 64] ?? NaN
      counts.set(brightness, (counts.get(brightness) ?? 0) + 1)
    }
  }
  return counts
}

describe('patches', () => {
  it('have a pixel that teaches, however few there are and wherever they lie', () => {
    const corners = [0, WIDTH - 1, WIDTH * (HEIGHT - 1), WIDTH * HEIGHT - 1]
    const images = corners.map((at) => image(0.5, [at]))
    for (const size of [8, 16, 64]) {
      const options = { count: 4, size, flips: true, vary: 1 }
      const sampler = createPatchSampler(images, 3, options, createRandom(size))
      for (let i = 0; i < 100; i++) {
        const { classes } = sampler.next()
        for (let p = 0; p < 4; p++) expect(classes.subarray(p * size ** 2, (p + 1) * size ** 2)).toContain(1)
      }
    }
  })

  it('come from slices as often as their weights say', () => {
    // 1 : 2 : 1 of 4000, give or take four standard deviations of a binomial number (27 and 32).
    const images = [image(0.25, [50]), image(0.5, [60], { weight: 2 }), image(0.75, [70], { weight: 1 })]
    const counts = drawn(images, 800)
    expect(Math.abs((counts.get(0.25) ?? 0) - 1000)).toBeLessThan(110)
    expect(Math.abs((counts.get(0.5) ?? 0) - 2000)).toBeLessThan(128)
    expect(Math.abs((counts.get(0.75) ?? 0) - 1000)).toBeLessThan(110)
  })

  it.each([
    [undefined, 4000 * Math.SQRT1_2],
    [0.25, 1000],
    [1, 4000],
    [0, 0],
  ])('come from corrected slices as often as is asked for: %s', (share, wanted) => {
    const counts = drawn([image(0.25, [50]), image(0.5, [60], { role: 'replay' })], 800, share)
    expect(Math.abs((counts.get(0.25) ?? 0) - wanted)).toBeLessThan(wanted % 4000 === 0 ? 1 : 110)
  })

  it('come from corrected slices by the root of their share unless asked for, three of ten at least', () => {
    const roles = (corrected: number, replay: number) => [
      ...Array.from({ length: corrected }, () => ({ role: 'corrected' as const })),
      ...Array.from({ length: replay }, () => ({ role: 'replay' as const })),
    ]
    expect(correctedShareOf(roles(3, 0))).toBe(1)
    expect(correctedShareOf(roles(10, 30))).toBe(0.5)
    expect(correctedShareOf(roles(10, 390))).toBe(0.3)
  })

  it('come from corrected slices alone where there are no others, whatever is asked for', () => {
    expect(drawn([image(0.25, [50])], 10, 0).get(0.25)).toBe(50)
  })
})

describe('batches of slices of which parts teach', () => {
  const augmentation = augmentationSettingsSchema.parse({ rotate: 11, zoom: [0.88, 1.14] })
  const sliceOf = (at: number): NetworkSlice => {
    const { classes, image: intensities } = image(0.5, [at])
    return { width: WIDTH, height: HEIGHT, channels: 1, image: intensities, classes, weights: null }
  }
  const corners = [0, WIDTH - 1, WIDTH * HEIGHT - 1].map(sliceOf)
  const maker = (teaching: boolean, foreground: number, margin = 0) =>
    createBatchMaker(
      {
        slices: corners.map((_, index) => ({
          ...{ case: 0, plane: 'training' as const, index, width: WIDTH, height: HEIGHT, counts: [1] },
        })),
        ...{ labels: [3], channels: 1, weights: null },
        input: { colour: { kind: 'rgb' }, normalization: { kind: 'none' } },
      },
      {
        slice: (at) => Promise.resolve(corners[at] ?? sliceOf(0)),
        close: () => Promise.resolve(),
      },
      {
        ...{ seed: 4, epoch: 1, steps: 60, batch: 3, patch: 16, step: 4, margin, foreground, augmentation },
        ...(teaching ? { teaching } : {}),
      },
    )

  /** Of 180 patches, those without a pixel that teaches. */
  async function empty(batches: ReturnType<typeof createBatchMaker>): Promise<number> {
    let count = 0
    for (let step = 0; step < 60; step++) {
      const { classes, outWidth, outHeight } = await batches.batch(step)
      for (let p = 0; p < 3; p++) {
        const patch = classes.subarray(p * outWidth * outHeight, (p + 1) * outWidth * outHeight)
        if (patch.every((value) => value === IGNORED)) count++
      }
    }
    return count
  }

  it.each([
    [0, 0],
    [0.75, 0],
    [0, 4],
  ])('every patch has such a pixel where that is asked for: foreground %d, margin %d', async (foreground, margin) => {
    expect(await empty(maker(true, foreground, margin))).toBe(0)
    expect(await empty(maker(false, foreground, margin))).toBeGreaterThan(10)
  })
})
