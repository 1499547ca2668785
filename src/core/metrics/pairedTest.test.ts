import { beforeAll, describe, expect, it } from 'vitest'
import { findPython, runPython } from '../../imaging/testing/peer.ts'
import { fewestPairs, signFlipTest } from './index.ts'

/** Differences of Dice as they come: rounded, with ties and zeros. */
const samples: readonly (readonly number[])[] = [
  [0.01, 0.02, 0.03, 0.04, 0.05],
  [0.05, -0.01, 0.02, 0.02, 0, 0.04, -0.03],
  [-0.02, -0.01, -0.03, 0.01],
  [0.1, 0.1, 0.1, -0.1, -0.1, 0.1, 0.1, 0.1, 0.1, 0.1],
  [0.003, -0.001, 0.004, 0.002, -0.0005, 0.006, 0.001, -0.002, 0.005, 0.0025, 0.0015, -0.0035, 0.007, 0.0045],
]
/** Exactly, by scipy.stats.permutation_test(permutation_type='samples', alternative='greater', n_resamples=inf) of the mean. */
const byScipy = [0.03125, 0.15625, 0.9375, 0.0546875, 0.01458740234375]

describe('the paired test', () => {
  it('counts every choice of signs', () => {
    // All of one sign: one choice of 2^5 is as large.
    expect(signFlipTest(samples[0] ?? [])).toMatchObject({ pairs: 5, p: 1 / 32 })
    // 3, 2 and 1, of signs + + -: sums 6, 4, 2, 0, 0, -2, -4, -6 of which three are at least 4 or equal: 6, 4.
    expect(signFlipTest([3, 2, -1]).p).toBe(2 / 8)
    expect(signFlipTest([3, -2, 1]).p).toBe(3 / 8)
    // Ties: 0.1 + 0.1 - 0.1 of any order is the same; 7 of 8 choices have a sum of at least -0.1.
    expect(signFlipTest([0.1, -0.1, -0.1]).p).toBe(7 / 8)
    expect(signFlipTest([0, 0, 0]).p).toBe(1)
    expect(signFlipTest([])).toEqual({ pairs: 0, difference: 0, error: 0, p: 1 })
  })

  it('tells the mean and its standard error', () => {
    // Mean 2, squared deviations 1 + 0 + 1: variance 1, over 3.
    const { difference, error } = signFlipTest([1, 2, 3])
    expect(difference).toBe(2)
    expect(error).toBeCloseTo(Math.sqrt(1 / 3), 12)
    expect(signFlipTest([0.2]).error).toBe(0)
  })

  it('is what scipy gave', () => {
    expect(byScipy).toHaveLength(samples.length)
    samples.forEach((sample, at) => expect(signFlipTest(sample).p, `${at}`).toBeCloseTo(byScipy[at] ?? NaN, 12))
  })

  it('draws signs where there are too many to count, and is near what all of them would give', () => {
    // Twenty differences of one size, 15 of them up: at least 15 heads of 20 coins.
    const choose = (n: number, k: number): number => (k === 0 ? 1 : (choose(n, k - 1) * (n - k + 1)) / k)
    const heads = (least: number): number =>
      Array.from({ length: 21 - least }, (_, i) => choose(20, least + i)).reduce((a, b) => a + b) / 2 ** 20
    const flips = (up: number): number[] => Array.from({ length: 20 }, (_, i) => (i < up ? 0.01 : -0.01))
    for (const up of [11, 13, 15]) {
      const exact = heads(up)
      const { p } = signFlipTest(flips(up))
      expect(Math.abs(p - exact)).toBeLessThan(4 * Math.sqrt((exact * (1 - exact)) / 10_000))
    }
    // Never 0: the given signs are one of the choices.
    const sure = signFlipTest(flips(20))
    expect(sure.p).toBeGreaterThan(0)
    expect(sure.p).toBeLessThan(0.0005)
    expect(signFlipTest(flips(15))).toEqual(signFlipTest(flips(15)))
  })

  it('finds a difference no more often than its level where there is none', () => {
    let state = 12345
    const next = (): number => (state = (state * 48271) % 2147483647) / 2147483647
    const found = Array.from({ length: 2000 }, () => {
      // Skewed sizes, signs by a coin: what is alike.
      const differences = Array.from({ length: 8 }, () => next() ** 3 * (next() < 0.5 ? -1 : 1))
      return signFlipTest(differences).p <= 0.05
    }).filter(Boolean).length
    // 2000 x 0.05 = 100, three standard deviations above are 129.
    expect(found).toBeLessThan(130)
    expect(found).toBeGreaterThan(60)
  })

  it('knows how many pairs could show anything', () => {
    // 2^-5 is 0.031 and 2^-4 0.0625; 2^-7 is 0.0078 and 2^-6 0.0156.
    expect(fewestPairs(0.05)).toBe(5)
    expect(fewestPairs(0.01)).toBe(7)
    expect(fewestPairs(0.25)).toBe(2)
  })

  const peer = findPython(['scipy.stats'])
  describe.skipIf(!peer.available)(`beside scipy (${peer.reason || 'here'})`, () => {
    let fresh: readonly number[]
    beforeAll(() => {
      const script = `
import json, sys
import numpy as np
from scipy.stats import permutation_test
def test(values):
    return permutation_test((np.array(values),), np.mean, permutation_type='samples', alternative='greater', n_resamples=np.inf, vectorized=False).pvalue
print(json.dumps([float(test(values)) for values in json.loads(sys.argv[1])]))`
      fresh = runPython(peer, script, [JSON.stringify(samples)]) as readonly number[]
    }, 240_000)
    it('gives the same now', () => {
      fresh.forEach((p, at) => expect(p).toBeCloseTo(byScipy[at] ?? NaN, 12))
    })
  })
})
