import { describe, expect, it } from 'vitest'
import { augmentationSettingsSchema } from '../../../core/contract/recipes.ts'
import { findPython, runPython } from '../../../imaging/testing/peer.ts'
import { createRandom } from '../random.ts'
import { changeIntensities, gaussian } from './intensity.ts'
import { resamplePatch } from './resample.ts'
import { unitScale } from './stain.ts'
import { displacements, drawTransform, IDENTITY } from './transform.ts'
import type { NetworkSlice } from '../../recipes/types.ts'

const settings = (change: object = {}) => augmentationSettingsSchema.parse(change)

function slice(width: number, height: number, value: (x: number, y: number) => number, channels = 1): NetworkSlice {
  const pixels = width * height
  const of = (i: number): number => value(i % width, Math.floor((i % pixels) / width))
  return {
    ...{ width, height, channels, image: Float32Array.from({ length: channels * pixels }, (_, i) => of(i)) },
    classes: Uint8Array.from({ length: pixels }, (_, i) => of(i)),
    weights: Float32Array.from({ length: pixels }, (_, i) => 10 * of(i)),
  }
}

const whole = (of: NetworkSlice, margin = 0) => ({
  ...{ width: of.width, height: of.height, margin },
  ...{ centerX: (of.width - 1) / 2, centerY: (of.height - 1) / 2 },
})

describe('resamplePatch', () => {
  it('changes nothing where nothing is asked for', () => {
    const source = slice(6, 4, (x, y) => x + 6 * y)
    const transform = drawTransform(settings(), 6, 4, createRandom(1))
    expect(transform).toEqual(IDENTITY)
    const patch = resamplePatch(source, whole(source), transform)
    expect(patch.image).toEqual(source.image)
    expect(patch.classes).toEqual(source.classes)
    expect(patch.weights).toEqual(source.weights)
  })

  it('mirrors and turns exactly, image, classes and weights alike', () => {
    const source = slice(2, 2, (x, y) => 1 + x + 2 * y)
    const turned = (matrix: readonly [number, number, number, number]) =>
      resamplePatch(source, whole(source), { ...IDENTITY, matrix })
    expect([...turned([-1, 0, 0, 1]).image]).toEqual([2, 1, 4, 3])
    const quarter = turned([0, -1, 1, 0])
    expect([...quarter.image]).toEqual([2, 4, 1, 3])
    expect([...quarter.classes]).toEqual([2, 4, 1, 3])
    expect([...(quarter.weights ?? [])]).toEqual([20, 40, 10, 30])
  })

  it('is linear for the image and nearest for the rest, mirrored beyond the borders', () => {
    const source = slice(4, 1, (x) => 4 * x)
    const shifted = resamplePatch(source, whole(source), { ...IDENTITY, shiftX: 0.25 })
    expect([...shifted.image]).toEqual([1, 5, 9, 11])
    expect([...shifted.classes]).toEqual([0, 4, 8, 12])
    const far = resamplePatch(source, whole(source), { ...IDENTITY, shiftX: 2 })
    expect([...far.image]).toEqual([8, 12, 8, 4])
  })

  it('gives classes without the margin that valid convolutions cut off', () => {
    const source = slice(6, 6, (x, y) => x + 6 * y)
    const { image, classes } = resamplePatch(source, whole(source, 2), IDENTITY)
    expect(image).toHaveLength(36)
    expect([...classes]).toEqual([14, 15, 20, 21])
  })

  it('moves image, classes and weights together under every change at once', () => {
    // The image says where it was taken from, and so do the classes, in stripes of eight pixels.
    const place = slice(96, 96, (x) => x)
    const source = { ...place, classes: place.classes.map((x) => Math.floor(x / 8)) }
    const everything = settings({
      ...{ flip: 'both', quarterTurns: true, rotate: 40, shear: 15, zoom: [0.7, 1.4], shift: 0.1 },
      elastic: { grid: 3, sigma: 6, share: 1 },
    })
    let compared = 0
    for (let seed = 0; seed < 12; seed++) {
      const transform = drawTransform(everything, 64, 64, createRandom(seed))
      const at = { centerX: 47.5, centerY: 47.5, width: 64, height: 64, margin: 0 }
      const { image, classes, weights } = resamplePatch(source, at, transform)
      image.forEach((x, i) => {
        // Between two pixels, and at stripes' ends, rounding decides; at mirrored borders the mean of both sides is no place.
        if (Math.abs((x % 1) - 0.5) < 0.01 || x < 1 || x > 94) return
        compared++
        expect(classes[i]).toBe(Math.floor(Math.round(x) / 8))
        expect(weights?.[i]).toBe(10 * Math.round(x))
      })
    }
    expect(compared).toBeGreaterThan(30_000)
  })
})

describe('drawTransform', () => {
  it('is the same for the same seed, and stays within what is asked for', () => {
    const asked = settings({ rotate: 20, zoom: [0.8, 1.25], shift: 0.1 })
    for (let seed = 0; seed < 200; seed++) {
      const { matrix, shiftX, shiftY } = drawTransform(asked, 100, 50, createRandom(seed))
      expect(drawTransform(asked, 100, 50, createRandom(seed)).matrix).toEqual(matrix)
      const [a, b, c, d] = matrix
      const step = Math.sqrt(a * d - b * c)
      expect(step).toBeGreaterThanOrEqual(1 / 1.25 - 1e-9)
      expect(step).toBeLessThanOrEqual(1 / 0.8 + 1e-9)
      expect(Math.abs(Math.atan2(c, a))).toBeLessThanOrEqual((20 * Math.PI) / 180 + 1e-9)
      expect(Math.abs(shiftX)).toBeLessThanOrEqual(10)
      expect(Math.abs(shiftY)).toBeLessThanOrEqual(5)
    }
  })

  it('displaces by a normal field on a coarse grid, bicubic between its nodes', () => {
    const elastic = { grid: 3, sigma: 10, share: 1 }
    const nodes: number[] = []
    for (let seed = 0; seed < 300; seed++) {
      const field = drawTransform(settings({ elastic }), 33, 33, createRandom(seed)).elastic
      if (field === null) throw new Error('no field')
      nodes.push(...field.dx, ...field.dy)
      const { dx } = displacements(field, 33, 33)
      // Pixels 0, 16 and 32 are nodes.
      for (let n = 0; n < 9; n++) {
        expect(dx[16 * (n % 3) + 33 * 16 * Math.floor(n / 3)]).toBeCloseTo(field.dx[n] ?? NaN, 4)
      }
    }
    const mean = nodes.reduce((sum, x) => sum + x, 0) / nodes.length
    const deviation = Math.sqrt(nodes.reduce((sum, x) => sum + (x - mean) ** 2, 0) / nodes.length)
    expect(Math.abs(mean)).toBeLessThan(0.5)
    expect(Math.abs(deviation - 10)).toBeLessThan(0.5)
  })

  it('has the values of a cubic convolution by hand', () => {
    // Halfway between nodes 0 and 4, with 0 repeated and 8 beyond: (-0 + 9 x 0 + 9 x 4 - 8) / 16.
    const field = { grid: 3, dx: Float64Array.of(0, 4, 8, 0, 4, 8, 0, 4, 8), dy: new Float64Array(9) }
    expect(displacements(field, 5, 5).dx[1]).toBeCloseTo(28 / 16, 6)
  })
})

describe('changeIntensities', () => {
  const size = { width: 64, height: 64, channels: 1 }
  const ramp = () => Float32Array.from({ length: 64 * 64 }, (_, i) => (i % 64) / 63)

  it('does nothing unless asked', () => {
    const image = ramp()
    changeIntensities(image, size, settings(), null, createRandom(1))
    expect(image).toEqual(ramp())
  })

  it('scales, shifts and bends within the given ranges', () => {
    for (let seed = 0; seed < 50; seed++) {
      const image = ramp()
      changeIntensities(image, size, settings({ scale: [0.9, 1.1], offset: 0.2 }), null, createRandom(seed))
      const [low = NaN, high = NaN] = [image[0], image[63]]
      expect(high - low).toBeGreaterThanOrEqual(0.9 - 1e-6)
      expect(high - low).toBeLessThanOrEqual(1.1 + 1e-6)
      expect(Math.abs(low)).toBeLessThanOrEqual(0.2 + 1e-6)
      const bent = ramp()
      changeIntensities(bent, size, settings({ gamma: [2, 2] }), null, createRandom(seed))
      expect(bent[0]).toBe(0)
      expect(bent[63]).toBe(1)
      expect(bent[21]).toBeCloseTo(1 / 9, 5)
    }
  })

  it('adds normal noise of at most the given deviation', () => {
    let largest = 0
    for (let seed = 0; seed < 30; seed++) {
      const image = new Float32Array(64 * 64)
      changeIntensities(image, size, settings({ noise: 0.3 }), null, createRandom(seed))
      const mean = image.reduce((sum, x) => sum + x, 0) / image.length
      const deviation = Math.sqrt(image.reduce((sum, x) => sum + (x - mean) ** 2, 0) / image.length)
      const beyond = image.filter((x) => Math.abs(x) > 2 * deviation).length / image.length
      expect(Math.abs(mean)).toBeLessThan(0.03)
      expect(Math.abs(beyond - 0.0455)).toBeLessThan(0.015)
      largest = Math.max(largest, deviation)
    }
    expect(largest).toBeGreaterThan(0.2)
    expect(largest).toBeLessThan(0.32)
  })

  it('exchanges bright and dark in so many patches', () => {
    const turned = Array.from({ length: 200 }, (_, seed) => {
      const image = Float32Array.of(-1, 0, 0.5, 3)
      changeIntensities(
        image,
        { width: 4, height: 1, channels: 1 },
        settings({ invert: 0.3 }),
        null,
        createRandom(seed),
      )
      expect([
        [-1, 0, 0.5, 3],
        [3, 2, 1.5, -1],
      ]).toContainEqual([...image])
      return image[0] === 3
    })
    const share = turned.filter(Boolean).length / turned.length
    expect(Math.abs(share - 0.3)).toBeLessThan(0.1)
  })

  const peer = findPython(['numpy', 'scipy'])
  it.skipIf(!peer.available)(`blurs as SciPy does ${peer.reason}`, () => {
    const random = createRandom(5)
    const plane = Float32Array.from({ length: 20 * 15 }, random)
    const script = `
import sys, json, numpy as np
from scipy.ndimage import gaussian_filter
x = np.array(json.loads(sys.argv[1])).reshape(15, 20)
print(json.dumps(gaussian_filter(x, 1.3, mode='mirror', truncate=3.0).ravel().tolist()))
`
    const expected = runPython(peer, script, [JSON.stringify([...plane])]) as number[]
    gaussian(plane, 20, 15, 1.3)
    plane.forEach((value, i) => expect(value).toBeCloseTo(expected[i] ?? NaN, 5))
  })
})

describe('stain jitter', () => {
  const window = { kind: 'window' as const, from: 0, to: 255 }
  const unit = unitScale({ colour: { kind: 'rgb' }, normalization: window })
  const jitter = (image: Float32Array, stain: number, seed: number) =>
    changeIntensities(image, { width: 2, height: 1, channels: 3 }, settings({ stain }), unit, createRandom(seed))

  it('keeps light between 0 and 1, changes colours, and leaves grey grey', () => {
    let changed = 0
    for (let seed = 0; seed < 40; seed++) {
      const image = Float32Array.of(0.7, 0.3, 0.4, 0.2, 0.8, 0.5)
      jitter(image, 0.2, seed)
      for (const value of image) expect(value).toBeGreaterThan(0)
      for (const value of image) expect(value).toBeLessThanOrEqual(1)
      if (Math.abs((image[0] ?? 0) - 0.7) > 0.01) changed++
      const grey = Float32Array.of(0.2, 0.9, 0.2, 0.9, 0.2, 0.9)
      jitter(grey, 0.2, seed)
      expect([...grey].map((value) => Math.round(value * 1e6) / 1e6)).toEqual([0.2, 0.9, 0.2, 0.9, 0.2, 0.9])
    }
    expect(changed).toBeGreaterThan(25)
  })

  it('changes next to nothing where it is next to nothing', () => {
    const image = Float32Array.of(0.7, 0.3, 0.4, 0.2, 0.8, 0.5)
    jitter(image, 1e-7, 3)
    expect([...image].map((value) => Math.round(value * 1e4) / 1e4)).toEqual([0.7, 0.3, 0.4, 0.2, 0.8, 0.5])
  })

  it('finds light again in pictures that were standardized', () => {
    const scale = unitScale({
      colour: { kind: 'rgb' },
      ...{ normalization: { kind: 'none' }, standardize: { mean: [100, 120, 140], deviation: [51, 25.5, 51] } },
    })
    expect(scale?.gain).toEqual([0.2, 0.1, 0.2])
    expect(scale?.offset[1]).toBeCloseTo(120 / 255, 12)
    expect(unitScale({ colour: { kind: 'rgb' }, normalization: { kind: 'zscore', over: 'slice' } })).toBeNull()
  })
})
