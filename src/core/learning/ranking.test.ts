import { describe, expect, it } from 'vitest'
import { rankCases, rankSlices } from './ranking.ts'
import type { ExaminedSlice } from './ranking.ts'

/** A unit vector in the plane, `turn` in degrees: 60 degrees apart is a distance of 1. */
function turned(turn: number): Float32Array {
  const angle = (turn * Math.PI) / 180
  return Float32Array.of(Math.cos(angle), Math.sin(angle))
}

function slice(caseId: string, index: number, entropy: number, turn = 0): ExaminedSlice {
  return { caseId, index, entropy, disagreement: null, features: turned(turn) }
}

const names = (ranked: readonly { caseId: string; index: number }[]): string[] =>
  ranked.map(({ caseId, index }) => `${caseId}${index}`)

/** Entropy alone counts, and nothing makes anything worth less. */
const plainly = { novelty: 0, neighbours: 0, cases: 0, likeness: 0 }

describe('ranking slices', () => {
  it('puts the least sure first, as shares of what is high', async () => {
    const slices = [0.1, 0.4, 0, 0.2].map((entropy, i) => slice('a', 10 * i, entropy, 40 * i))
    const ranked = await rankSlices(slices, [], [], plainly)
    expect(names(ranked)).toEqual(['a10', 'a30', 'a0', 'a20'])
    expect(ranked.map(({ entropy }) => entropy)).toEqual([1, 0.5, 0.25, 0])
    expect(ranked.map(({ score }) => score)).toEqual([1, 0.5, 0.25, 0])
    expect(names(await rankSlices(slices, [], [], { ...plainly, limit: 2 }))).toEqual(['a10', 'a30'])
    expect(await rankSlices([], [turned(0)])).toEqual([])
  })

  it('weighs disagreement beside entropy, and takes entropy for it where it was not asked for', async () => {
    const both = [
      { ...slice('a', 0, 0.4, 0), disagreement: 0.1 },
      { ...slice('b', 0, 0.2, 90), disagreement: 0.5 },
      slice('c', 0, 0.3, 180),
    ]
    const ranked = await rankSlices(both, [], [], { ...plainly, entropy: 1, disagreement: 3 })
    // a: (1 + 3 * 0.2) / 4, b: (0.5 + 3) / 4, c: 0.75.
    expect(ranked.map(({ caseId, score }) => [caseId, Number(score.toFixed(6))])).toEqual([
      ['b', 0.875],
      ['c', 0.75],
      ['a', 0.4],
    ])
    expect(ranked.map(({ disagreement }) => disagreement)).toEqual([1, null, 0.2])
  })

  it('puts what is unlike all that was learned before what is like it', async () => {
    const slices = [slice('a', 0, 0.3, 0), slice('b', 0, 0.3, 90), slice('c', 0, 0.3, 180)]
    const ranked = await rankSlices(slices, [turned(170), turned(5)], [], { likeness: 0, neighbours: 0, cases: 0 })
    expect(names(ranked)[0]).toBe('b0')
    const novelty = new Map(ranked.map((each) => [each.caseId, each.novelty]))
    // Distances of two slices: 90 degrees twice and 180 once, the median is that of 90 degrees.
    expect(novelty.get('b')).toBeCloseTo(Math.sin((40 * Math.PI) / 180) / Math.sin((45 * Math.PI) / 180), 5)
    expect(novelty.get('c')).toBeCloseTo(Math.sin((5 * Math.PI) / 180) / Math.sin((45 * Math.PI) / 180), 5)
    // Where nothing was learned, everything is new; and so is what another network described.
    const [first] = await rankSlices(slices)
    expect(first?.novelty).toBe(1)
    const [other] = await rankSlices(slices, [Float32Array.of(1, 0, 0)])
    expect(other?.novelty).toBe(1)
  })

  it('takes one of two neighbours, and goes elsewhere before it comes back', async () => {
    const slices = [
      ...[5, 6, 7].map((index) => slice('a', index, 0.5 + index / 100, 0)),
      slice('a', 30, 0.3, 0),
      slice('b', 6, 0.4, 0),
    ]
    const ranked = await rankSlices(slices, [], [], { novelty: 0, likeness: 0, neighbours: 4, cases: 0 })
    expect(names(ranked).slice(0, 3)).toEqual(['a7', 'b6', 'a30'])
    const next = ranked.find(({ index, caseId }) => caseId === 'a' && index === 6)
    // One slice away of four: e^-(1/16) of its 0.56 of 0.57 is gone, once, though a5 comes before it and is as near.
    expect(names(ranked).slice(3)).toEqual(['a5', 'a6'])
    expect(next?.score).toBeCloseTo((0.56 / 0.57) * (1 - Math.exp(-1 / 16)), 5)
  })

  it('goes to other cases first', async () => {
    const slices = [slice('a', 0, 0.6, 0), slice('a', 50, 0.5, 0), slice('a', 90, 0.4, 0), slice('b', 0, 0.3, 0)]
    const ranked = await rankSlices(slices, [], [], { ...plainly, cases: 1 })
    // Half of 0.5 is less than 0.3; then the second of its case, and a third of 0.4.
    expect(names(ranked)).toEqual(['a0', 'b0', 'a50', 'a90'])
    const wanted = [1, 0.3 / 0.6, 0.5 / 0.6 / 2, 0.4 / 0.6 / 3]
    for (const [at, { score }] of ranked.entries()) expect(score).toBeCloseTo(wanted[at] ?? NaN, 6)
  })

  it('takes one of those that look the same, whatever case they are of', async () => {
    const slices = [
      slice('a', 0, 0.5, 0),
      slice('b', 0, 0.49, 1),
      slice('c', 0, 0.3, 90),
      slice('d', 0, 0.2, 180),
      slice('e', 0, 0.1, 270),
    ]
    expect(names(await rankSlices(slices, [], [], plainly))).toEqual(['a0', 'b0', 'c0', 'd0', 'e0'])
    const ranked = await rankSlices(slices, [], [], { novelty: 0, neighbours: 0, cases: 0, likeness: 0.5 })
    expect(names(ranked)).toEqual(['a0', 'c0', 'd0', 'e0', 'b0'])
  })

  it('what was corrected meanwhile counts as chosen', async () => {
    const slices = [slice('a', 5, 0.5, 0), slice('b', 5, 0.3, 90), slice('c', 5, 0.1, 180)]
    const taken = [{ caseId: 'a', index: 4, features: turned(20) }]
    expect(names(await rankSlices(slices, [], taken))).toEqual(['b5', 'c5', 'a5'])
    expect(names(await rankSlices(slices, [], [], { novelty: 0 }))[0]).toBe('a5')
  })

  it('gives what choosing the best anew each time gives', async () => {
    const random = (seed: number): (() => number) => {
      let state = seed
      return () => (state = (state * 16807) % 2147483647) / 2147483647
    }
    const next = random(11)
    const slices = Array.from({ length: 120 }, (_, i) => ({
      ...slice(`case${i % 7}`, Math.floor(i / 7), next(), 360 * next()),
      disagreement: next(),
    }))
    const learned = [turned(40), turned(200)]
    const options = { entropy: 1, disagreement: 0.5, novelty: 0.7, neighbours: 3, cases: 0.5, likeness: 0.4 }
    let pauses = 0
    const ranked = await rankSlices(slices, learned, [], { ...options, limit: 60 }, async () => {
      pauses++
    })
    const scores = ranked.map(({ score }) => score)
    expect(scores).toEqual([...scores].sort((a, b) => b - a))
    expect(pauses).toBe(0)

    // Plainly: after each choice every other slice is looked at beside all that was chosen.
    const distance = (a: Float32Array, b: Float32Array): number =>
      Math.hypot((a[0] ?? 0) - (b[0] ?? 0), (a[1] ?? 0) - (b[1] ?? 0))
    const high = (values: number[]): number => values.sort((a, b) => a - b)[Math.ceil(0.98 * 119)] ?? NaN
    const [mostEntropy, mostDisagreement] = [
      high(slices.map(({ entropy }) => entropy)),
      high(slices.map(({ disagreement }) => disagreement)),
    ]
    const step = Math.round(0.618 * 120)
    const pairs = slices.map(({ features }, i) => distance(features, slices[(i + step) % 120]?.features ?? features))
    const usual = pairs.sort((a, b) => a - b)[60] ?? NaN
    const kernel = (far: number, reach: number): number => (far < 3 * reach ? Math.exp(-((far / reach) ** 2)) : 0)
    const chosen: typeof slices = []
    const worth = (each: (typeof slices)[number]): number => {
      const doubt = Math.min(1, each.entropy / mostEntropy) + 0.5 * Math.min(1, each.disagreement / mostDisagreement)
      const alike = chosen.map(({ features }) => kernel(distance(each.features, features), 0.4 * usual))
      const together = chosen.filter(({ caseId }) => caseId === each.caseId)
      const near = together.map(({ index }) => kernel(Math.abs(each.index - index), 3))
      const left = (1 - Math.max(0, ...alike)) * (1 - Math.max(0, ...near))
      const all = [...learned, ...chosen.map(({ features }) => features)]
      const nearest = Math.min(...all.map((features) => distance(each.features, features)))
      return (left * doubt + 0.7 * Math.min(1, nearest / usual)) / 2.2 / (1 + 0.5 * together.length)
    }
    for (const [at, found] of ranked.entries()) {
      const rest = slices.filter((each) => !chosen.includes(each))
      const best = Math.max(...rest.map(worth))
      expect(found.score, `choice ${at}`).toBeCloseTo(best, 5)
      const own = rest.find(({ caseId, index }) => caseId === found.caseId && index === found.index)
      if (own === undefined) throw new Error('It was chosen twice.')
      expect(worth(own)).toBeCloseTo(best, 5)
      chosen.push(own)
    }
  })

  it('lets others work between', async () => {
    const features = new Float32Array(256).fill(1 / 16)
    const slices = Array.from({ length: 3000 }, (_, i) => ({ ...slice('a', i, 0.5), features }))
    let pauses = 0
    const learned = Array.from({ length: 10 }, () => features)
    await rankSlices(slices, learned, [], { limit: 1 }, async () => {
      pauses++
    })
    // 3000 x 10 x 256 numbers are 3.7 turns of 2^21.
    expect(pauses).toBe(3)
  })
})

describe('ranking cases', () => {
  it('goes by the best slice of each', () => {
    const ranked = [
      ['b', 0.9],
      ['a', 0.8],
      ['b', 0.3],
      ['c', 0.1],
    ] as const
    const slices = ranked.map(([caseId, score], index) => {
      return { caseId, index, score, entropy: 0, disagreement: null, novelty: 0 }
    })
    expect(rankCases(slices)).toEqual([
      { caseId: 'b', score: 0.9, slices: 2 },
      { caseId: 'a', score: 0.8, slices: 1 },
      { caseId: 'c', score: 0.1, slices: 1 },
    ])
  })
})
