import { describe, expect, it } from 'vitest'
import { augmentation, copyAugmented, varietyFor } from './augmentation.ts'
import { normalizedSlice } from './intensity.ts'
import { copyMirrored, mirrorIndex, roundUp } from './padding.ts'
import { createPatchSampler } from './patches.ts'
import { createRandom, randomInt, randomNormal } from './random.ts'
import { IGNORED, trainingImage } from './trainingImage.ts'
import type { TrainingImage } from './trainingImage.ts'

describe('normalizedSlice', () => {
  const grey = { width: 3, height: 1, channels: 1, voxelType: 'int16', slope: 1, inter: 0, low: 0, high: 1 } as const
  const int16 = (...samples: number[]) => new Uint8Array(Int16Array.from(samples).buffer)

  it('maps low to 0 and high to 1 in scaled intensity and clips beyond', () => {
    // Scaled: 2 * raw - 1000 = -1000, 0, 1000; low -500, high 500.
    const slice = { ...grey, data: int16(0, 500, 1000), slope: 2, inter: -1000, low: -500, high: 500 }
    expect([...normalizedSlice(slice)]).toEqual([0, 0.5, 1])
  })

  it('reads samples that lie at an odd offset of a frame', () => {
    const frame = new Uint8Array(7)
    frame.set(int16(10, 20, 30), 1)
    const values = normalizedSlice({ ...grey, data: frame.subarray(1), low: 10, high: 30 })
    expect([...values]).toEqual([0, 0.5, 1])
  })

  it('takes the luminance of RGB', () => {
    const data = Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255)
    const values = normalizedSlice({ ...grey, channels: 3, voxelType: 'uint8', data, high: 255 })
    expect(values[0]).toBeCloseTo(0.299, 5)
    expect(values[1]).toBeCloseTo(0.587, 5)
    expect(values[2]).toBeCloseTo(0.114, 5)
  })

  it('gives 0 for what is no number and for an image without contrast', () => {
    const data = new Uint8Array(Float32Array.of(NaN, Infinity, 2).buffer)
    expect([...normalizedSlice({ ...grey, voxelType: 'float32', data, high: 4 })]).toEqual([0, 1, 0.5])
    expect([...normalizedSlice({ ...grey, data: int16(7, 7, 7), low: 7, high: 7 })]).toEqual([0, 0, 0])
  })

  it('refuses bytes that do not fit the size', () => {
    expect(() => normalizedSlice({ ...grey, data: new Uint8Array(5) })).toThrow(/5 bytes/)
    expect(() => normalizedSlice({ ...grey, data: new Uint8Array(8) })).toThrow(/8 bytes/)
  })
})

describe('mirroring', () => {
  it('rounds sizes up and mirrors without repeating the border', () => {
    expect([roundUp(1, 16), roundUp(16, 16), roundUp(17, 16)]).toEqual([16, 16, 32])
    expect([-4, -3, -2, -1, 0, 1, 2, 3, 4, 5].map((i) => mirrorIndex(i, 3))).toEqual([0, 1, 2, 1, 0, 1, 2, 1, 0, 1])
    expect([-1, 0, 5].map((i) => mirrorIndex(i, 1))).toEqual([0, 0, 0])
  })

  it('continues an image as its mirror image', () => {
    const image = Float32Array.of(1, 2, 3, 4, 5, 6) // 3 wide, 2 high
    const out = new Float32Array(1 + 15)
    copyMirrored(image, 3, 2, { left: -1, top: -1, width: 5, height: 3 }, out, 1)
    expect([...out]).toEqual([0, 5, 4, 5, 6, 5, 2, 1, 2, 3, 2, 5, 4, 5, 6, 5])
  })
})

describe('random', () => {
  it('gives the same stream for the same seed, spread over the range', () => {
    const [a, b] = [createRandom(42), createRandom(42)]
    const stream = Array.from({ length: 10_000 }, () => a())
    expect(Array.from({ length: 10_000 }, () => b())).toEqual(stream)
    expect(Math.min(...stream)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...stream)).toBeLessThan(1)
    expect(stream.reduce((x, y) => x + y) / stream.length).toBeCloseTo(0.5, 1)
    const normal = Array.from({ length: 10_000 }, () => randomNormal(a))
    expect(normal.reduce((x, y) => x + y * y, 0) / normal.length).toBeCloseTo(1, 1)
    expect(new Set(Array.from({ length: 200 }, () => randomInt(a, 3)))).toEqual(new Set([0, 1, 2]))
  })
})

describe('trainingImage', () => {
  it('turns labels into classes and ignores labels that the model does not have', () => {
    const sample = {
      ...({ index: 0, width: 4, height: 1, channels: 1, voxelType: 'uint8', data: Uint8Array.of(0, 1, 2, 3) } as const),
      ...{ slope: 1, inter: 0, low: 0, high: 3, labels: Uint8Array.of(0, 7, 3, 9), role: 'corrected' as const },
    }
    const labels = [
      { value: 3, name: 'A' },
      { value: 7, name: 'B' },
    ]
    expect([...trainingImage(sample, labels).classes]).toEqual([0, 2, 1, IGNORED])
    expect(() => trainingImage({ ...sample, labels: new Uint8Array(3) }, labels)).toThrow(/3 labels/)
  })
})

/** Classes: 1 in one single pixel, 2 in another, 0 elsewhere; intensity tells the x coordinate. */
function image(role: TrainingImage['role'], classOne: number, classTwo: number): TrainingImage {
  const classes = new Uint8Array(64 * 48)
  if (classOne >= 0) classes[classOne] = 1
  if (classTwo >= 0) classes[classTwo] = 2
  return { width: 64, height: 48, role, classes, image: Float32Array.from(classes, (_, i) => (i % 64) / 64) }
}

describe('createPatchSampler', () => {
  const options = { count: 4, size: 16, flips: false, vary: null }

  it('shows rare labels as often as background, and corrected slices more often than replayed ones', () => {
    const images = [image('corrected', 5 * 64 + 60, -1), image('replay', -1, 40 * 64 + 3)]
    const sampler = createPatchSampler(images, 3, options, createRandom(1))
    let withOne = 0
    let withTwo = 0
    for (let i = 0; i < 250; i++) {
      const { classes } = sampler.next()
      for (let p = 0; p < 4; p++) {
        const patch = classes.subarray(p * 256, (p + 1) * 256)
        if (patch.includes(1)) withOne++
        if (patch.includes(2)) withTwo++
      }
    }
    // 1000 patches: 3/4 corrected, half of these chosen for label 1; 1/4 replayed, half of these for label 2.
    expect(withOne).toBeGreaterThan(330)
    expect(withTwo).toBeGreaterThan(90)
    expect(withTwo).toBeLessThan(250)
  })

  it('copies pixels unchanged where nothing varies', () => {
    const { images, classes } = createPatchSampler([image('corrected', -1, -1)], 3, options, createRandom(2)).next()
    const row = images.subarray(0, 16)
    for (let x = 1; x < 16; x++) expect((row[x] ?? NaN) - (row[x - 1] ?? NaN)).toBeCloseTo(1 / 64, 6)
    expect(new Set(classes)).toEqual(new Set([0]))
  })

  it('gives the same patches for the same seed', () => {
    const batch = () => {
      const sampler = createPatchSampler([image('corrected', 99, 500)], 3, { ...options, vary: 1 }, createRandom(3))
      sampler.next()
      const { images, classes } = sampler.next()
      return [[...images], [...classes]]
    }
    expect(batch()).toEqual(batch())
  })

  it('mirrors slices that are smaller than a patch', () => {
    const small: TrainingImage = {
      ...{ width: 2, height: 1, role: 'corrected', classes: Uint8Array.of(0, 1) },
      image: Float32Array.of(0.25, 0.75),
    }
    const { images } = createPatchSampler([small], 2, { ...options, size: 4, count: 1 }, createRandom(4)).next()
    expect([...images.subarray(0, 4)]).toEqual([0.75, 0.25, 0.75, 0.25])
  })
})

describe('copyAugmented', () => {
  it('flips exactly', () => {
    const source: TrainingImage = {
      ...{ width: 2, height: 2, role: 'corrected', classes: Uint8Array.of(0, 1, 2, 3) },
      image: Float32Array.of(0, 0.25, 0.5, 0.75),
    }
    const out = new Float32Array(4)
    const classes = new Uint8Array(4)
    const flipped = { matrix: [-1, 0, 0, 1], gain: 1, offset: 0, noise: 0 } as const
    copyAugmented(source, { centerX: 0.5, centerY: 0.5, size: 2 }, flipped, createRandom(0), out, classes, 0)
    expect([...out]).toEqual([0.25, 0, 0.75, 0.5])
    expect([...classes]).toEqual([1, 0, 3, 2])
  })

  it('changes nothing where nothing is asked for', () => {
    expect(augmentation({ flips: false, vary: null }, createRandom(5))).toEqual({
      ...{ matrix: [1, 0, 0, 1], gain: 1, offset: 0, noise: 0 },
    })
  })

  it('changes many slices more widely than a few', () => {
    expect([0, 3, 50, 100, 500].map(varietyFor)).toEqual([0, 0.03, 0.5, 1, 1])
    const widest = (vary: number) => {
      const random = createRandom(7)
      const made = Array.from({ length: 4000 }, () => augmentation({ flips: false, vary }, random))
      const most = (of: (change: (typeof made)[number]) => number) =>
        Math.max(...made.map((change) => Math.abs(of(change))))
      return {
        // The area that a patch shows hangs on the scale alone.
        scale: most(({ matrix: [a, b, c, d] }) => Math.log(a * d - b * c) / 2),
        turn: most(({ matrix: [a, , c] }) => Math.atan2(c, a)),
        // Turned back and scaled back: stretched along one axis and squeezed along the other, and the second column slanted.
        stretch: most(({ matrix: [a, b, c, d] }) => Math.log(Math.hypot(a, c) / Math.sqrt(a * d - b * c))),
        slant: most(({ matrix: [a, b, c, d] }) => (a * b + c * d) / Math.hypot(a, c) / Math.sqrt(a * d - b * c)),
        gain: most(({ gain }) => gain - 1),
        offset: most(({ offset }) => offset),
        changed: made.filter(({ matrix }) => matrix[2] !== 0).length / made.length,
      }
    }
    for (const [vary, wanted] of [
      [0, { scale: 0.13, turn: 0.2, stretch: 0, slant: 0, gain: 0.1, offset: 0.05, changed: 0.5 }],
      [0.5, { scale: 0.19, turn: 0.25, stretch: 0.06, slant: 0.075, gain: 0.175, offset: 0.075, changed: 0.65 }],
      [1, { scale: 0.25, turn: 0.3, stretch: 0.12, slant: 0.15, gain: 0.25, offset: 0.1, changed: 0.8 }],
    ] as const) {
      const found = widest(vary)
      for (const name of ['scale', 'turn', 'stretch', 'slant', 'gain', 'offset', 'changed'] as const) {
        expect(Math.abs(found[name] - wanted[name]), `${name} at ${vary}`).toBeLessThanOrEqual(
          0.04 * wanted[name] + 1e-9,
        )
      }
    }
  })
})
