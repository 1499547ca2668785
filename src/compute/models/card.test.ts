import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { PERCENTILE_INPUT } from '../../core/contract/compute.ts'
import { robustRange } from '../../imaging/index.ts'
import { normalizedSlice } from '../data/intensity.ts'
import { parseCard } from './card.ts'
import { sealOf } from './checksums.ts'
import { createLearnedRecord, learnedData, learnedSpacing } from './learnedData.ts'
import type { TrainingSample } from '../../core/contract/compute.ts'

const hash = (...parts: (string | Uint8Array)[]) => {
  const whole = createHash('sha256')
  for (const part of parts) whole.update(part)
  return whole.digest('hex')
}

function sample(change: Partial<TrainingSample> = {}): TrainingSample {
  return {
    ...{
      index: 0,
      width: 2,
      height: 1,
      channels: 1,
      voxelType: 'uint8',
      data: Uint8Array.of(3, 9),
      slope: 1,
      inter: -2.5,
    },
    ...{ low: 0, high: 10, labels: Uint8Array.of(0, 1), role: 'corrected' },
    ...change,
  }
}

describe('learnedData', () => {
  it('is the documented hash', async () => {
    const one = hash('corrected 2 1 1 uint8 1 -2.5 0 10\n', Uint8Array.of(3, 9), Uint8Array.of(0, 1))
    const two = hash('replay 2 1 1 uint8 1 -2.5 0 10\n', Uint8Array.of(3, 9), Uint8Array.of(0, 1))
    const part = hash(
      'corrected 2 1 1 uint8 1 -2.5 0 10\n',
      Uint8Array.of(3, 9),
      Uint8Array.of(0, 1),
      Uint8Array.of(0, 1),
    )
    const all = [one, two, part].sort().join('\n') + '\n'
    const samples = [sample({ role: 'replay' }), sample(), sample({ trusted: Uint8Array.of(0, 1) })]
    expect(await learnedData(samples)).toEqual({
      ...{ sha256: hash(all), samples: 3, corrected: 2, replay: 1 },
    })
  })

  it('does not depend on the order, but on every sample, intensity, label and role', async () => {
    const samples = Array.from({ length: 20 }, (_, i) => sample({ data: Uint8Array.of(i, 9), index: i }))
    const { sha256 } = await learnedData(samples)
    expect((await learnedData(samples.toReversed())).sha256).toBe(sha256)
    for (const change of [
      { data: Uint8Array.of(3, 8) },
      { labels: Uint8Array.of(1, 1) },
      { role: 'replay' as const },
      { slope: 2 },
      { high: 11 },
      { trusted: Uint8Array.of(1, 0) },
    ]) {
      expect((await learnedData(samples.with(7, sample(change)))).sha256).not.toBe(sha256)
    }
    expect((await learnedData([...samples, sample()])).sha256).not.toBe(sha256)
  })
})

describe('the record of a training in many runs', () => {
  it('has each slice once, as it was learned last, and as corrected where it ever was', async () => {
    const record = createLearnedRecord()
    expect(record.card()).toMatchObject({ data: { samples: 0 }, spacing: null })
    const [first, second, third] = [3, 4, 5].map((value) => sample({ data: Uint8Array.of(value, 9) }))
    if (first === undefined || second === undefined || third === undefined) throw new Error('three')
    await record.add([first, { ...second, role: 'replay' }])
    // Drawn on, replayed from then on, and read again: what compute kept of it was lost meanwhile.
    const later = { ...first, data: first.data.slice(), labels: Uint8Array.of(1, 1) }
    await record.add([{ ...later, role: 'replay' }, second])
    await record.add([{ ...third, role: 'replay', trusted: Uint8Array.of(1, 0) }])
    const known = [later, second, { ...third, role: 'replay' as const, trusted: Uint8Array.of(1, 0) }]
    expect(record.card().data).toEqual(await learnedData(known))
    expect(record.card().data).toMatchObject({ samples: 3, corrected: 2, replay: 1 })
  })
})

describe('learnedSpacing', () => {
  const axial = { plane: 'axial', columns: 0.8, rows: 0.7, slices: 3 } as const

  it('takes medians of what is known', () => {
    const samples = [
      sample({ geometry: axial }),
      sample({ geometry: { ...axial, columns: 0.6, slices: 5 } }),
      sample({ geometry: { ...axial, columns: 2, slices: null } }),
      sample(),
      sample({ geometry: null }),
    ]
    expect(learnedSpacing(samples)).toEqual({ plane: 'axial', inPlane: [0.8, 0.7], slices: 4, samples: 3 })
  })

  it('says when planes differ, when there are no slices, and when nothing is known', () => {
    const picture = { plane: 'stored', columns: 1, rows: 1, slices: null } as const
    expect(learnedSpacing([sample({ geometry: picture })])).toMatchObject({ plane: 'stored', slices: null })
    expect(learnedSpacing([sample({ geometry: picture }), sample({ geometry: axial })])).toMatchObject({
      plane: 'mixed',
    })
    expect(learnedSpacing([sample()])).toBeNull()
  })
})

describe('parseCard', () => {
  it('says in which way an old card prepared intensities as what prepares them does', () => {
    const { colour, normalization } = PERCENTILE_INPUT
    // No Hounsfield units: 0 to 1000, every value once.
    const ramp = Float32Array.from({ length: 1001 }, (_, i) => i)
    const { low, high } = robustRange({ data: ramp, channels: 1, slope: 1, inter: 0 })
    expect([low, high]).toEqual([10 * normalization.low, 10 * normalization.high])
    // Air to bone: only what lies above the bound counts.
    const bone = Float32Array.from({ length: 1001 }, (_, i) => (i === 0 ? -1000 : normalization.hounsfieldAbove + i))
    const tissue = robustRange({ data: bone, channels: 1, slope: 1, inter: 0 })
    expect(tissue.low).toBeCloseTo(normalization.hounsfieldAbove + 1 + 0.005 * 999, 6)
    const rgb = [0, 1, 2].map((c) => Uint8Array.from([0, 1, 2], (each) => (each === c ? 200 : 0)))
    const picture = {
      width: 1,
      height: 1,
      channels: 3,
      voxelType: 'uint8',
      slope: 1,
      inter: 0,
      low: 0,
      high: 200,
    } as const
    rgb.forEach((data, c) => {
      expect(normalizedSlice({ ...picture, data })[0]).toBeCloseTo(colour.weights[c] ?? NaN, 6)
    })
  })

  it('finds its seal again whatever the order and the white space', () => {
    const card = { b: [1, { y: null, x: 'é' }], a: 0.1, checksums: { weights: 'w', card: 'old' } }
    const seal = hash('{"a":0.1,"b":[1,{"x":"é","y":null}],"checksums":{"weights":"w"}}')
    expect(sealOf(card)).toBe(seal)
    expect(sealOf({ checksums: { card: seal, weights: 'w' }, a: 0.1, b: [1, { x: 'é', y: null }] })).toBe(seal)
  })

  it('names the file of what is no card', () => {
    expect(() => parseCard('[]', '/m/card.json')).toThrow(/^\/m\/card\.json is not the card of a model/)
    expect(() => parseCard('{"format":7,"anything":1}', '/m/card.json')).toThrow(/newer Maskwright \(card format 7\)/)
  })
})
