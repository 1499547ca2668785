import { describe, expect, it } from 'vitest'
import type { CaseScores } from '../contract/recipes.ts'
import { connectedComponents } from '../voxels/index.ts'
import { meanKeys, meanScores, objectScores, randError, scoreCase, surfaceDistances, warpingError } from './index.ts'
import { isSimple, partsAround } from './simplePoints.ts'

/** A picture from rows of text: '#' 1, '.' 0, digits themselves. */
function picture(...rows: string[]): Uint8Array {
  return Uint8Array.from(Array.from(rows.join('')), (sign) => (sign === '#' ? 1 : sign === '.' ? 0 : Number(sign)))
}

describe('a case', () => {
  const empty = new Uint8Array(12)
  const full = new Uint8Array(12).fill(1)
  const score = (truth: Uint8Array, predicted: Uint8Array) =>
    scoreCase({ truth, predicted, dims: [4, 3, 1], spacing: null, labels: [1] })

  it('with nothing to find and nothing found is perfect', () => {
    expect(score(empty, empty)).toEqual({
      pixelAccuracy: 1,
      meanIou: 1,
      dice: { 1: 1 },
      iou: { 1: 1 },
      sensitivity: { 1: 1 },
      specificity: { 1: 1 },
      hd: { 1: 0 },
      hd95: { 1: 0 },
      assd: { 1: 0 },
      volumeDifference: { 1: 0 },
    })
  })
  it('with nothing to find and everything found has no distance', () => {
    expect(score(empty, full)).toEqual({
      pixelAccuracy: 0,
      meanIou: 0,
      dice: { 1: 0 },
      iou: { 1: 0 },
      sensitivity: { 1: 1 },
      specificity: { 1: 0 },
      hd: { 1: null },
      hd95: { 1: null },
      assd: { 1: null },
      volumeDifference: { 1: 12 },
    })
  })
  it('with everything to find and nothing found', () => {
    const scores = score(full, empty)
    expect([scores.sensitivity['1'], scores.specificity['1'], scores.hd95['1']]).toEqual([0, 1, null])
    expect(scores.volumeDifference).toEqual({ 1: -12 })
  })
  it('counts values that are not asked for as background', () => {
    const scores = scoreCase({
      truth: picture('1122', '1133'),
      predicted: picture('1132', '1122'),
      dims: [4, 2, 1],
      spacing: null,
      labels: [2, 1],
    })
    // Background: truth the two 3s, predicted the one 3; they share none.
    expect(scores.pixelAccuracy).toBe(5 / 8)
    expect(scores.dice).toEqual({ 1: 1, 2: 2 / 5 })
    expect(scores.meanIou).toBeCloseTo((0 + 1 + 1 / 4) / 3, 12)
  })
  it('measures volumes in mL, and in voxels where their size is not known', () => {
    const truth = new Uint8Array(8)
    const predicted = Uint8Array.of(1, 1, 1, 0, 0, 0, 0, 0)
    const of = (spacing: [number, number, number] | null) =>
      scoreCase({ truth, predicted, dims: [2, 2, 2], spacing, labels: [1] }).volumeDifference['1']
    expect(of([10, 10, 5])).toBeCloseTo(1.5, 12)
    expect(of(null)).toBe(3)
  })
  it('refuses maps of another size', () => {
    expect(() => score(empty, full.subarray(1))).toThrow(RangeError)
  })
})

describe('surface distances', () => {
  it('by hand: two bars, one longer', () => {
    const truth = picture('.....', '.###.', '.....')
    const predicted = picture('.....', '.####', '.....')
    // All but one pixel coincide; that one is one pixel away. Eight pixels less one stay below the percentile's place.
    expect(surfaceDistances(truth, predicted, 1, [5, 3], [2, 7])).toEqual({
      hd: 2,
      // Seven distances, six of them 0: the place 0.95 * 6 = 5.7 lies between the last two.
      hd95: expect.closeTo(0.7 * 2, 12) as number,
      assd: expect.closeTo((0 + 2 / 4) / 2, 12) as number,
    })
  })
  it('of a volume whose label lies in one slice', () => {
    const truth = new Uint8Array(75)
    truth.fill(1, 25, 50)
    const predicted = truth.slice()
    predicted[25 + 12] = 0
    // In a volume all of a slice is surface, its middle too: it is one voxel from the nearest that was predicted.
    expect(surfaceDistances(truth, predicted, 1, [5, 5, 3]).hd).toBe(1)
    expect(surfaceDistances(truth.subarray(25, 50), predicted.subarray(25, 50), 1, [5, 5]).hd).toBeCloseTo(1, 12)
  })
})

describe('objects', () => {
  const ids = (...rows: string[]) => Uint32Array.from(picture(...rows))
  it('are found where the IoU is above a threshold, not at it', () => {
    // IoU 3 / 4, so that thresholds from 0.5 to 0.7 are passed.
    expect(objectScores(ids('1111'), ids('2220'))).toEqual({ ap50: 1, ap: 0.5, tp: 1, fp: 0, fn: 0 })
    // IoU exactly one half.
    expect(objectScores(ids('11'), ids('10'))).toEqual({ ap50: 0, ap: 0, tp: 0, fp: 1, fn: 1 })
  })
  it('that are not there and not found are all right', () => {
    expect(objectScores(ids('00'), ids('00'))).toEqual({ ap50: 1, ap: 1, tp: 0, fp: 0, fn: 0 })
    expect(objectScores(ids('00'), ids('01'))).toEqual({ ap50: 0, ap: 0, tp: 0, fp: 1, fn: 0 })
    expect(objectScores(ids('01'), ids('00'))).toEqual({ ap50: 0, ap: 0, tp: 0, fp: 0, fn: 1 })
  })
  it('may have any number', () => {
    const truth = Uint32Array.of(4_000_000_000, 4_000_000_000, 0, 70_000)
    expect(objectScores(truth, Uint32Array.of(1, 1, 0, 2)).ap).toBe(1)
  })
})

describe('membranes', () => {
  const cells = picture('###.###', '###.###', '###.###')
  const error = (found: Uint8Array) => {
    const { splitsAndMergers, all } = warpingError(cells, found, 7, 3)
    return [Math.round(splitsAndMergers * 21), Math.round(all * 21)]
  }
  it('that lie elsewhere are no error', () => {
    expect(error(picture('##.####', '##.####', '##.####'))).toEqual([0, 0])
    expect(error(picture('.##.#..', '###.###', '###.##.'))).toEqual([0, 0])
  })
  it('with a gap merge two cells, pixel by pixel', () => {
    expect(error(picture('#######', '#######', '#######'))).toEqual([3, 3])
    expect(error(picture('###.###', '#######', '###.###'))).toEqual([1, 1])
  })
  it('that are too many split a cell', () => {
    expect(error(picture('#.#.###', '#.#.###', '#.#.###'))).toEqual([1, 1])
  })
  it('around nothing are holes, which count among all errors only', () => {
    expect(error(picture('###.###', '#.#.#.#', '###.###'))).toEqual([0, 2])
  })
  it('that join leave pairs of pixels in one cell that were in two', () => {
    // 9 and 9 pixels become one of 18 (the membrane is left out): 2 * 72 of 306 + 144 ordered pairs, twice.
    const merged = randError(cells, new Uint8Array(21).fill(1), 7, 3)
    expect(merged).toBeCloseTo(1 - (2 * 144) / (144 + 306), 12)
    expect(randError(cells, cells, 7, 3)).toBe(0)
    expect(randError(new Uint8Array(21), cells, 7, 3)).toBe(0)
  })
  it('of a volume are the mean over its slices', () => {
    const truth = Uint8Array.of(...cells, ...cells)
    const predicted = Uint8Array.of(...cells, ...new Uint8Array(21).fill(1))
    const scores = scoreCase({ truth, predicted, dims: [7, 3, 2], spacing: null, labels: [1], membranes: true })
    expect(scores.membranes?.warping).toBeCloseTo(3 / 42, 12)
    expect(scores.membranes?.rand).toBeCloseTo((1 - (2 * 144) / 450) / 2, 12)
  })
})

describe('simple points', () => {
  it('are what counting the parts around a pixel says, in all 256 neighbourhoods', () => {
    const places = [1, 2, 5, 8, 7, 6, 3, 0]
    for (let bits = 0; bits < 256; bits++) {
      const inside = new Uint8Array(9)
      const outside = new Uint8Array(9)
      for (const [at, place] of places.entries()) ((bits >> at) & 1 ? inside : outside)[place] = 1
      const { ids } = connectedComponents(inside, [3, 3], 4)
      const touching = new Set([1, 3, 5, 7].map((place) => ids[place] ?? 0).filter((id) => id > 0)).size
      const around = connectedComponents(outside, [3, 3], 8).count
      expect(partsAround(bits), bits.toString(2)).toEqual({ inside: touching, outside: around })
      expect(isSimple(bits)).toBe(touching === 1 && around === 1)
    }
  })
})

describe('means', () => {
  const base = scoreCase({
    truth: picture('1.'),
    predicted: picture('1.'),
    dims: [2, 1, 1],
    spacing: null,
    labels: [1, 2],
  })
  const cases: CaseScores[] = [
    { id: 'a', ...base, dice: { 1: 0.5, 2: 0.2 }, hd95: { 1: 3, 2: null }, hd: { 1: 4, 2: null } },
    { id: 'b', ...base, dice: { 1: 1, 2: 0.4 }, hd95: { 1: null, 2: null }, hd: { 1: null, 2: null } },
  ]
  it('are over cases, then over labels, and leave out what is not defined', () => {
    const means = meanScores(cases, [1, 2])
    expect(means['dice:1']).toBeCloseTo(0.75, 12)
    expect(means['dice:2']).toBeCloseTo(0.3, 12)
    expect(means.dice).toBeCloseTo(0.525, 12)
    expect([means['hd95:1'], means['hd95:2'], means.hd95]).toEqual([3, null, 3])
    expect(means.undefinedDistances).toBe(3)
    expect(means).not.toHaveProperty('ap')
  })
  it('of no case are null', () => {
    expect(meanScores([], [1]).dice).toBeNull()
  })
  it('know each metric that a recipe names', () => {
    const membranes = { warping: 0.1, rand: 0.2 }
    const instances = { ap: 0.4, ap50: 0.5, tp: 1, fp: 1, fn: 0 }
    const means = meanScores([{ id: 'a', ...base, membranes, instances }], [1])
    for (const key of Object.values(meanKeys)) expect(means[key], key).toEqual(expect.any(Number))
  })
})
