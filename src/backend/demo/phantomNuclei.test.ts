import { describe, expect, it } from 'vitest'
import { generateNucleiCase, type NucleiCase } from './phantomNuclei.ts'

/** Mean brightness (of all channels) inside and outside the nuclei. */
function contrast(image: NucleiCase): { inside: number; outside: number; share: number } {
  let inside = 0
  let outside = 0
  let count = 0
  image.labels.forEach((label, i) => {
    let value = 0
    for (let c = 0; c < image.channels; c++) value += image.data[i * image.channels + c] ?? 0
    if (label === 0) outside += value / image.channels
    else {
      inside += value / image.channels
      count++
    }
  })
  const total = image.labels.length
  return { inside: inside / count, outside: outside / (total - count), share: count / total }
}

describe('generateNucleiCase', () => {
  const cases = [1, 2, 3, 4, 5, 6].map((seed) => generateNucleiCase(seed))

  it('gives images of both kinds, with arrays that fit their size', () => {
    expect(new Set(cases.map((image) => image.channels))).toEqual(new Set([1, 3]))
    for (const image of cases) {
      expect(image.width).toBeGreaterThanOrEqual(256)
      expect(image.width).toBeLessThanOrEqual(384)
      expect(image.data.length).toBe(image.width * image.height * image.channels)
      expect(image.labels.length).toBe(image.width * image.height)
      expect(new Set(image.labels)).toEqual(new Set([0, 5]))
    }
  })

  it('shows nuclei bright in fluorescence and dark in stained tissue', () => {
    for (const image of cases) {
      const { inside, outside, share } = contrast(image)
      expect(share).toBeGreaterThan(0.03)
      expect(share).toBeLessThan(0.4)
      if (image.channels === 1) expect(inside).toBeGreaterThan(outside + 40)
      else expect(inside).toBeLessThan(outside - 40)
    }
  })

  it('is the same for the same seed', () => {
    expect(generateNucleiCase(3)).toEqual(cases[2])
  })
})
