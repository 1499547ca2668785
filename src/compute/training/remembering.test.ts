import { describe, expect, it } from 'vitest'
import { remembering } from './remembering.ts'
import { diskSample } from './testing/samples.ts'
import type { TrainingSample } from '../../core/contract/compute.ts'

describe('remembering', () => {
  it('prepares a slice once, and again when anything of it but its role and weight is another', () => {
    const prepared: TrainingSample[] = []
    const prepare = remembering((sample: TrainingSample) => {
      prepared.push(sample)
      return sample.labels[0] === 9 ? null : { role: sample.role, made: prepared.length }
    })
    const [first, second] = [diskSample(1), diskSample(2)]
    expect([first, second].map(prepare)).toEqual([
      { role: 'corrected', weight: 1, made: 1 },
      { role: 'corrected', weight: 1, made: 2 },
    ])
    expect(prepare({ ...first, role: 'replay', weight: 3 })).toEqual({ role: 'replay', weight: 3, made: 1 })
    expect(prepared).toHaveLength(2)
    expect(prepare({ ...first, labels: first.labels.slice() })).toMatchObject({ made: 3 })
    expect(prepare({ ...first, low: 0 })).toMatchObject({ made: 4 })
    expect(prepare({ ...second, trusted: new Uint8Array(1600) })).toMatchObject({ made: 5 })
    const nothing = { ...second, labels: new Uint8Array(1600).fill(9) }
    expect([prepare(nothing), prepare(nothing)]).toEqual([null, null])
    expect(prepared).toHaveLength(6)
    expect(prepare({ ...first, low: 0, later: [5] })).toMatchObject({ made: 7 })
    expect(prepare({ ...first, low: 0, later: [5] })).toMatchObject({ made: 7 })
  })
})
