import { describe, expect, it } from 'vitest'
import { findPython, runPython } from '../../imaging/testing/peer.ts'
import { borderOf } from './border.ts'
import { createRandom, randomInt } from './random.ts'
import { balancedWeights, weightMap } from './weightMap.ts'

const WIDTH = 70
const HEIGHT = 50

/** Objects of all sizes, some of them touching, some alone in a corner. */
function scene(seed: number): Uint32Array {
  const random = createRandom(seed)
  const ids = new Uint32Array(WIDTH * HEIGHT)
  for (let id = 1; id <= 9; id++) {
    const [cx, cy, r] = [randomInt(random, WIDTH), randomInt(random, HEIGHT), 1 + randomInt(random, 7)]
    for (let i = 0; i < ids.length; i++) {
      if (Math.hypot((i % WIDTH) - cx, Math.floor(i / WIDTH) - cy) <= r) ids[i] = id
    }
  }
  return ids
}

/** The formula, pixel by pixel, over all pairs. */
function bruteForce(ids: Uint32Array, classWeights: readonly number[], w0: number, sigma: number): number[] {
  const members = new Map<number, [number, number][]>()
  ids.forEach((id, i) => {
    if (id > 0) members.set(id, [...(members.get(id) ?? []), [i % WIDTH, Math.floor(i / WIDTH)]])
  })
  return Array.from(ids, (id, i) => {
    if (id > 0) return classWeights[1] ?? 0
    const distances = [...members.values()]
      .map((own) => Math.min(...own.map(([x, y]) => Math.hypot(x - (i % WIDTH), y - Math.floor(i / WIDTH)))))
      .sort((a, b) => a - b)
    const [d1 = Infinity, d2 = Infinity] = distances
    return (classWeights[0] ?? 0) + w0 * Math.exp(-((d1 + d2) ** 2) / (2 * sigma ** 2))
  })
}

const classesOf = (ids: Uint32Array): Uint8Array => Uint8Array.from(ids, (id) => (id > 0 ? 1 : 0))

describe('weightMap', () => {
  it('is the formula of the paper, to single precision', () => {
    const settings = { w0: 10, sigma: 5, classWeights: [0.75, 1.5] }
    for (let seed = 1; seed <= 4; seed++) {
      const ids = scene(seed)
      const weights = weightMap(classesOf(ids), ids, WIDTH, HEIGHT, settings)
      const expected = bruteForce(ids, settings.classWeights, 10, 5)
      expected.forEach((value, i) => expect(Math.abs((weights[i] ?? 0) - value)).toBeLessThan(1e-6 * value))
    }
  })

  it('is what two pixels three apart give by hand', () => {
    // Objects at 0 and 3; the pixel at 1 is 1 and 2 from them: 10 exp(-9 / 50) + 1.
    const ids = Uint32Array.of(4, 0, 0, 9)
    const settings = { w0: 10, sigma: 5, classWeights: [1, 2] }
    const weights = weightMap(Uint8Array.of(1, 0, 0, 1), ids, 4, 1, settings)
    const between = 1 + 10 * Math.exp(-9 / 50)
    expect([...weights]).toEqual([2, Math.fround(between), Math.fround(between), 2])
  })

  it('is class balance alone for one object, or without w0, and nothing where nothing is taught', () => {
    const one = Uint32Array.of(1, 0, 0)
    const classes = Uint8Array.of(1, 0, 255)
    expect([...weightMap(classes, one, 3, 1, { w0: 10, sigma: 5, classWeights: [0.5, 3] })]).toEqual([3, 0.5, 0])
    const two = Uint32Array.of(1, 0, 2)
    expect([...weightMap(classes, two, 3, 1, { w0: 0, sigma: 5, classWeights: [0.5, 3] })]).toEqual([3, 0.5, 0])
  })

  const peer = findPython(['numpy', 'scipy'])
  it.skipIf(!peer.available)(`agrees with SciPy's distances ${peer.reason}`, () => {
    const ids = scene(9)
    const script = `
import sys, json, numpy as np
from scipy.ndimage import distance_transform_edt as edt
ids = np.array(json.loads(sys.argv[1])).reshape(${HEIGHT}, ${WIDTH})
d = np.sort(np.stack([edt(ids != i) for i in np.unique(ids) if i > 0]), axis=0)
w = np.where(ids > 0, 1.5, 0.75 + 10 * np.exp(-(d[0] + d[1]) ** 2 / (2 * 5 ** 2)))
print(json.dumps(w.ravel().tolist()))
`
    const expected = runPython(peer, script, [JSON.stringify([...ids])]) as number[]
    const weights = weightMap(classesOf(ids), ids, WIDTH, HEIGHT, { w0: 10, sigma: 5, classWeights: [0.75, 1.5] })
    expected.forEach((value, i) => expect(Math.abs((weights[i] ?? 0) - value)).toBeLessThan(1e-6 * value))
  })
})

describe('balancedWeights', () => {
  it('makes each class as heavy as the others, the mean over all pixels 1', () => {
    const weights = balancedWeights([900, 90, 0, 10])
    expect(weights[0]).toBeCloseTo(1000 / (3 * 900), 12)
    expect(900 * (weights[0] ?? 0)).toBeCloseTo(10 * (weights[3] ?? 0), 9)
    expect(weights[2]).toBe(1)
    expect((900 * (weights[0] ?? 0) + 90 * (weights[1] ?? 0) + 10 * (weights[3] ?? 0)) / 1000).toBeCloseTo(1, 12)
  })
})

describe('borderOf', () => {
  const line = (ids: readonly number[], border: number): string =>
    [...borderOf(Uint32Array.from(ids), ids.length, 1, border)].join('')

  it('is the outermost pixels of each object, and the gap between two that are close', () => {
    expect(line([0, 0, 1, 1, 1, 1, 1, 0, 0], 1)).toBe('001000100')
    expect(line([1, 1, 1, 1, 2, 2, 2, 2, 0], 1)).toBe('000110010')
    expect(line([1, 1, 1, 0, 2, 2, 2], 1)).toBe('0011100')
    expect(line([1, 1, 1, 0, 0, 2, 2], 1)).toBe('0010010')
    expect(line([1, 1, 1, 0, 0, 0, 2, 2, 2], 2)).toBe('011010110')
  })

  it('leaves the edge of the picture open, and the middle of a disk', () => {
    const ids = new Uint32Array(25).fill(3)
    expect([...borderOf(ids, 5, 5, 2)].every((value) => value === 0)).toBe(true)
  })
})
