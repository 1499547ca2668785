import { describe, expect, it } from 'vitest'
import { findPython, runPython } from '../../imaging/testing/peer.ts'
import { connectedComponents, hillTops, measureObjects, smoothed, watershed } from './index.ts'
import { scattered, scatteredValues } from './testing/scattered.ts'

const RULES = { pass: 0.7, depth: 0, smallest: 0 }

/** Distinct values, so that no order of equals matters. */
function heights(count: number, seed: number): Float32Array {
  const order = scatteredValues(
    [count],
    seed,
    Array.from({ length: 64 }, () => 1 / 64),
  )
  return Float32Array.from(order, (value, i) => value * 4096 + ((i * 7919) % 4093))
}

describe('watershed', () => {
  it('divides a valley where the waters meet, and reaches only what is connected', () => {
    const landscape = Float32Array.of(0, 1, 5, 1, 0, 9, 0)
    const markers = Uint32Array.of(1, 0, 0, 0, 2, 0, 0)
    const mask = Uint8Array.of(1, 1, 1, 1, 1, 0, 1)
    expect([...watershed(landscape, markers, mask, [7, 1])]).toEqual([1, 1, 1, 2, 2, 0, 0])
    expect([
      ...watershed(
        landscape,
        markers,
        mask.map(() => 1),
        [7, 1],
      ),
    ]).toEqual([1, 1, 1, 2, 2, 2, 2])
  })

  it('goes over corners only where it is told to', () => {
    const landscape = new Float32Array(4)
    const markers = Uint32Array.of(3, 0, 0, 0)
    const mask = Uint8Array.of(1, 0, 0, 1)
    expect([...watershed(landscape, markers, mask, [2, 2])]).toEqual([3, 0, 0, 0])
    expect([...watershed(landscape, markers, mask, [2, 2], 'all')]).toEqual([3, 0, 0, 3])
  })

  it('divides a plateau in the middle', () => {
    const markers = Uint32Array.of(1, 0, 0, 0, 0, 2)
    expect([...watershed(new Float32Array(6), markers, new Uint8Array(6).fill(1), [6, 1])]).toEqual([1, 1, 1, 2, 2, 2])
  })
})

describe('tops of hills', () => {
  const line = (...values: number[]) => hillTops(Float32Array.from(values), [values.length, 1], RULES)

  it('are two where the pass is low, one where it is not', () => {
    expect([...line(1, 5, 2, 4, 1).markers]).toEqual([0, 1, 0, 2, 0])
    expect([...line(1, 5, 3, 4, 1).markers]).toEqual([0, 1, 0, 0, 0])
    expect(line(0, 0).count).toBe(0)
  })

  it('are one for a plateau, and one for each hill by itself', () => {
    expect([...line(3, 3, 3).markers]).toEqual([1, 0, 0])
    expect([...line(2, 0, 3, 0, 1).markers]).toEqual([2, 0, 1, 0, 3])
  })

  it('stay apart from all hills once they are', () => {
    // 4 and 5 are divided by 1; 5 and 6 are not by 4.9, and their common hill is divided from 4 all the same.
    expect([...line(4, 1, 5, 4.9, 6).markers]).toEqual([2, 0, 0, 0, 1])
  })

  it('need a depth and a size where these are asked for', () => {
    const values = Float32Array.of(1, 5, 2, 4, 1)
    expect(hillTops(values, [5, 1], { ...RULES, depth: 2.5 }).count).toBe(1)
    expect(hillTops(values, [5, 1], { ...RULES, smallest: 2 }).count).toBe(1)
    expect(hillTops(Float32Array.of(1, 5, 2, 4, 3, 1), [6, 1], { ...RULES, smallest: 2 }).count).toBe(2)
  })
})

describe('measured objects', () => {
  it('have their size, middle, outline and brightness', () => {
    const ids = Uint32Array.of(
      ...[0, 2, 2, 2],
      ...[1, 2, 2, 2],
      ...[1, 2, 2, 2], //
    )
    const intensity = ids.map((id, i) => (id === 1 ? 10 : i))
    expect(measureObjects(ids, [4, 3], intensity)).toEqual([
      { id: 1, size: 2, centroid: [0, 1.5, 0], perimeter: 0, meanIntensity: 10 },
      { id: 2, size: 9, centroid: [2, 1, 0], perimeter: 8, meanIntensity: 6 },
    ])
    const [only] = measureObjects(Uint32Array.of(0, 0, 0, 7, 0, 0, 0, 7), [2, 2, 2])
    expect(only).toEqual({ id: 7, size: 2, centroid: [1, 1, 0.5], perimeter: null, meanIntensity: null })
  })
})

const peer = findPython(['numpy', 'scipy.ndimage', 'skimage.measure', 'skimage.segmentation'])
describe.skipIf(!peer.available)(`beside scipy and scikit-image (${peer.reason || 'here'})`, () => {
  const [W, H] = [43, 37]

  it('watershed, smoothing and measures agree', { timeout: 120_000 }, () => {
    const mask = scattered([W, H], 5, 0.8)
    const landscape = heights(W * H, 6)
    const seeds = scattered([W, H], 7, 0.02)
    const markers = Uint32Array.from(seeds, (set, i) => (set === 1 && mask[i] === 1 ? i + 1 : 0))
    const blobs = connectedComponents(scattered([W, H], 8, 0.5), [W, H], 4).ids
    const volume = heights(11 * 9 * 7, 9)
    const script = `
import json, sys
import numpy as np, scipy.ndimage as nd
from skimage.segmentation import watershed
from skimage.measure import regionprops
W, H = ${W}, ${H}
mask, land, markers, blobs, volume = [np.array(json.loads(a)) for a in sys.argv[1:6]]
mask, land, markers, blobs = mask.reshape(H, W).astype(bool), land.reshape(H, W), markers.reshape(H, W), blobs.reshape(H, W)
out = {}
for c in (1, 2):
    out['w%d' % c] = watershed(land, markers, mask=mask, connectivity=c).ravel().tolist()
    v = volume.reshape(7, 9, 11)
    m = np.zeros(v.shape, int); m[1, 2, 3] = 1; m[5, 6, 7] = 2
    out['v%d' % c] = watershed(v, m, connectivity=1 if c == 1 else 3).ravel().tolist()
out['g'] = nd.gaussian_filter(land.astype(np.float64), 1.3).ravel().tolist()
out['g3'] = nd.gaussian_filter(volume.reshape(7, 9, 11).astype(np.float64), 2.5).ravel().tolist()
out['props'] = [[float(n) for n in (p.label, p.area, p.centroid[1], p.centroid[0], p.perimeter, p.mean_intensity)] for p in regionprops(blobs, land)]
print(json.dumps(out))`
    const found = runPython(
      peer,
      script,
      [mask, landscape, markers, blobs, volume].map((values) => JSON.stringify([...values])),
    ) as { w1: number[]; w2: number[]; v1: number[]; v2: number[]; g: number[]; g3: number[]; props: number[][] }
    expect([...watershed(landscape, markers, mask, [W, H])]).toEqual(found.w1)
    expect([...watershed(landscape, markers, mask, [W, H], 'all')]).toEqual(found.w2)
    const inside = new Uint32Array(11 * 9 * 7)
    inside[3 + 11 * (2 + 9)] = 1
    inside[7 + 11 * (6 + 9 * 5)] = 2
    const whole = new Uint8Array(inside.length).fill(1)
    expect([...watershed(volume, inside, whole, [11, 9, 7])]).toEqual(found.v1)
    expect([...watershed(volume, inside, whole, [11, 9, 7], 'all')]).toEqual(found.v2)
    const close = (ours: Float32Array, theirs: number[]) => {
      ours.forEach((value, i) => expect(Math.abs(value - (theirs[i] ?? NaN)) / 262_144).toBeLessThan(1e-6))
    }
    close(smoothed(landscape, [W, H], 1.3), found.g)
    close(smoothed(volume, [11, 9, 7], 2.5), found.g3)
    const measured = measureObjects(blobs, [W, H], landscape)
    expect(measured).toHaveLength(found.props.length)
    measured.forEach(({ id, size, centroid, perimeter, meanIntensity }, i) => {
      const [label, area, x = NaN, y = NaN, around = NaN, mean = NaN] = found.props[i] ?? []
      expect([id, size]).toEqual([label, area])
      expect(centroid[0]).toBeCloseTo(x, 6)
      expect(centroid[1]).toBeCloseTo(y, 6)
      expect(perimeter).toBeCloseTo(around, 6)
      expect(meanIntensity).toBeCloseTo(mean, 2)
    })
  })
})
