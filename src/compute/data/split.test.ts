import { describe, expect, it } from 'vitest'
import { splitCases, splitSlices } from './split.ts'
import type { CaseToSplit } from './split.ts'

const settings = { by: 'case', holdout: 3, validation: 0.1 } as const

function cases(count: number, patients = count): CaseToSplit[] {
  return Array.from({ length: count }, (_, i) => ({
    ...{ id: `case${i}`, patient: `patient${i % patients}`, heldOut: false },
    ...{ kind: i % 4 === 0 ? 'colour' : 'grey', foreground: (i * 37) % 100 },
  }))
}

const named = (parts: Map<string, string>, part: string): string[] =>
  [...parts].filter(([, each]) => each === part).map(([id]) => id)

describe('splitCases', () => {
  it('never puts a case, nor a patient, into two parts, whatever the seed', () => {
    for (let seed = 0; seed < 300; seed++) {
      for (const [count, patients] of [
        [30, 30],
        [41, 7],
        [12, 3],
        [5, 2],
      ] as const) {
        const set = cases(count, patients)
        const parts = splitCases(set, settings, seed)
        expect(parts.size).toBe(count)
        const partsOf = new Map<string, Set<string>>()
        for (const { id, patient } of set) {
          partsOf.set(patient, (partsOf.get(patient) ?? new Set()).add(parts.get(id) ?? ''))
        }
        for (const of of partsOf.values()) expect(of.size).toBe(1)
        expect(named(parts, 'train').length).toBeGreaterThan(0)
        expect(named(parts, 'holdout').length).toBeGreaterThan(0)
      }
    }
  })

  it('holds out a third, and a tenth of the rest for validation', () => {
    for (let seed = 0; seed < 20; seed++) {
      const parts = splitCases(cases(120), settings, seed)
      expect(named(parts, 'holdout')).toHaveLength(40)
      expect(named(parts, 'validation')).toHaveLength(8)
    }
  })

  it('gives the parts cases of the same kinds and foreground', () => {
    for (let seed = 0; seed < 20; seed++) {
      const set = cases(120)
      const parts = splitCases(set, settings, seed)
      const held = set.filter(({ id }) => parts.get(id) === 'holdout')
      expect(Math.abs(held.filter(({ kind }) => kind === 'colour').length - 10)).toBeLessThanOrEqual(1)
      const mean = held.reduce((sum, { foreground }) => sum + foreground, 0) / held.length
      const all = set.reduce((sum, { foreground }) => sum + foreground, 0) / set.length
      expect(Math.abs(mean - all)).toBeLessThan(3)
    }
  })

  it('is the same for the same seed, in whatever order the cases come, and another for another', () => {
    const set = cases(60)
    const sorted = (parts: Map<string, string>) => [...parts].sort(([a], [b]) => (a < b ? -1 : 1))
    const parts = sorted(splitCases(set, settings, 5))
    expect(sorted(splitCases([...set].reverse(), settings, 5))).toEqual(parts)
    expect(sorted(splitCases(set, settings, 6))).not.toEqual(parts)
  })

  it('holds out what the layout says, and nothing else', () => {
    const set = cases(20).map((each, i) => ({ ...each, heldOut: i >= 13 }))
    const parts = splitCases(set, settings, 1)
    expect(named(parts, 'holdout').sort()).toEqual(
      set
        .filter(({ heldOut }) => heldOut)
        .map(({ id }) => id)
        .sort(),
    )
    expect([1, 2]).toContain(named(parts, 'validation').length)
  })

  it('keeps everything to learn from where nothing is to be held out, or there is one case', () => {
    expect(named(splitCases(cases(10), { ...settings, holdout: 0, validation: 0 }, 1), 'train')).toHaveLength(10)
    expect(named(splitCases(cases(1), settings, 1), 'train')).toHaveLength(1)
    expect(named(splitCases(cases(2), settings, 1), 'train')).toHaveLength(1)
  })
})

describe('splitSlices', () => {
  it('holds out every third slice', () => {
    for (let seed = 0; seed < 10; seed++) {
      const parts = splitSlices(30, settings, seed)
      const held = parts.flatMap((part, at) => (part === 'holdout' ? [at] : []))
      expect(held).toHaveLength(10)
      expect(new Set(held.map((at) => at % 3)).size).toBe(1)
      expect(parts.filter((part) => part === 'validation')).toHaveLength(2)
    }
  })
})
