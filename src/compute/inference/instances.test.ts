import { describe, expect, it } from 'vitest'
import { inferenceSettingsSchema, instanceSettingsSchema } from '../../core/contract/recipes.ts'
import { objectsOf } from './instances.ts'
import type { OutputMeaning } from './meaning.ts'

const meaning = (border: boolean, inference = {}): OutputMeaning => ({
  ...{ activation: 'softmax', exclusive: true, skipped: 0, border },
  labels: [{ value: 5, name: 'Cell' }],
  resize: { kind: 'none' },
  instances: null,
  inference: inferenceSettingsSchema.parse(inference),
})

/** Background, label and, with a border, inside, from rows of digits: 0 background, 1 border, 2 inside. */
function planes(rows: readonly string[]): Float32Array<ArrayBuffer> {
  const digits = Array.from(rows.join(''), Number)
  const plane = (of: (digit: number) => number): number[] => digits.map(of)
  return Float32Array.from([
    ...plane((digit) => (digit === 0 ? 0.9 : 0.1)),
    ...plane((digit) => (digit === 0 ? 0.1 : 0.9)),
    ...plane((digit) => (digit === 2 ? 0.8 : 0.05)),
  ])
}

const show = (ids: Uint32Array, width: number): string[] =>
  Array.from({ length: ids.length / width }, (_, y) => [...ids.subarray(y * width, (y + 1) * width)].join(''))

describe('objects', () => {
  it('are divided by the borders between them', () => {
    // Twelve pixels high throughout: by the distances alone there is nothing to divide.
    const row = '0222222112222220'
    const rows = ['0'.repeat(16), ...Array.from({ length: 12 }, () => row), '0'.repeat(16), '0220000000000000']
    const settings = instanceSettingsSchema.parse({ kind: 'border', label: 5 })
    const asked = { sums: planes(rows), dims: [16, 15, 1] as [number, number, number], spacing: null }
    const ids = objectsOf({ ...asked, meaning: meaning(true), settings })
    expect([ids[6 * 16 + 1], ids[6 * 16 + 7], ids[6 * 16 + 8], ids[6 * 16 + 14]]).toEqual([1, 1, 2, 2])
    expect(show(ids, 16)[14]?.slice(0, 4)).toBe('0330')
    const larger = objectsOf({ ...asked, meaning: meaning(true), settings: { ...settings, smallest: 3 } })
    expect(Math.max(...larger)).toBe(2)
    const joined = objectsOf({ ...asked, meaning: meaning(true), settings: { ...settings, smallestSeed: 500 } })
    expect(Math.max(...joined)).toBe(2)
    expect(joined[6 * 16 + 1]).toBe(joined[6 * 16 + 14])
    const byDistance = objectsOf({ ...asked, meaning: meaning(true), settings: { ...settings, kind: 'distance' } })
    expect(byDistance[6 * 16 + 1]).toBe(byDistance[6 * 16 + 14])
  })

  it('are divided by their distances where the network has no border', () => {
    const [width, height] = [30, 13]
    const inside = (x: number, y: number): boolean =>
      (x - 8) ** 2 + (y - 6) ** 2 < 36 || (x - 19) ** 2 + (y - 6) ** 2 < 36
    const rows = Array.from({ length: height }, (_, y) =>
      Array.from({ length: width }, (__, x) => (inside(x, y) ? '2' : '0')).join(''),
    )
    const settings = instanceSettingsSchema.parse({ kind: 'distance', label: 5 })
    const asked = { sums: planes(rows), dims: [width, height, 1] as [number, number, number], spacing: null }
    const ids = objectsOf({ ...asked, meaning: meaning(false), settings })
    expect([ids[6 * width + 8], ids[6 * width + 19], Math.max(...ids)]).toEqual([1, 2, 2])
    // Any pass will do for hills to be one.
    const one = objectsOf({ ...asked, meaning: meaning(false), settings: { ...settings, seed: 0 } })
    expect(Math.max(...one)).toBe(1)
    const none = objectsOf({ ...asked, meaning: meaning(false), settings: { ...settings, label: 9 } })
    expect(Math.max(...none)).toBe(0)
  })

  it('have no holes where holes are filled', () => {
    const rows = ['22222', '20022', '22222']
    const settings = instanceSettingsSchema.parse({ kind: 'distance', label: 5 })
    const asked = { sums: planes(rows), dims: [5, 3, 1] as [number, number, number], spacing: null, settings }
    expect(objectsOf({ ...asked, meaning: meaning(false) })[6]).toBe(0)
    expect(objectsOf({ ...asked, meaning: meaning(false, { fillHoles: true }) })[6]).toBe(1)
  })

  it('are found in volumes, by true distances', () => {
    const dims: [number, number, number] = [13, 13, 12]
    const digits: string[] = []
    for (let z = 0; z < 12; z++) {
      for (let y = 0; y < 13; y++) {
        for (let x = 0; x < 13; x++) {
          const near = [2, 9].some((centre) => (x - 6) ** 2 + (y - 6) ** 2 + (2 * (z - centre)) ** 2 < 42)
          digits.push(near ? '2' : '0')
        }
      }
    }
    const settings = instanceSettingsSchema.parse({ kind: 'distance', label: 5, smooth: 0.5 })
    const ids = objectsOf({
      sums: planes([digits.join('')]),
      dims,
      spacing: [1, 1, 2],
      meaning: meaning(false),
      settings,
    })
    expect(Math.max(...ids)).toBe(2)
    expect(ids[6 + 13 * (6 + 13 * 2)]).not.toBe(ids[6 + 13 * (6 + 13 * 9)])
  })
})
