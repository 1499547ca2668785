import { describe, expect, it } from 'vitest'
import { emit, emitSeveral, reshape, scalar } from './build.ts'
import { collectGraph } from './collect.ts'
import { footprintOf } from './footprint.ts'
import type { Value } from './types.ts'

const x: Value = { shape: [10], type: 'float32', source: { kind: 'input', held: null } }

describe('what a graph takes of memory', () => {
  it('counts what lives at the same time', () => {
    const wide = emit('Expand', [x, scalar(0)], [100, 10])
    const sum = emit('ReduceSum', [wide], [10])
    // 4000 bytes, and 40 beside them; the sum of both then 40 in place.
    const graph = collectGraph([emit('Add', [sum, x], [10])], [x])
    expect(footprintOf(graph)).toEqual({ peak: 4040, largest: 4000, constants: 4 })
  })

  it('keeps what is read later, and outputs', () => {
    const [a, b] = [emit('Exp', [x], [10]), emit('Sin', [x], [10])]
    const late = emit('Concat', [emit('Cos', [b], [10]), a], [20])
    expect(footprintOf(collectGraph([late], [x])).peak).toBe(40 + 40 + 80)
    expect(footprintOf(collectGraph([b, late], [x])).peak).toBe(40 + 40 + 40 + 80)
  })

  it('counts memory once under two shapes', () => {
    const made = emit('Expand', [x, scalar(0)], [100, 10])
    const graph = collectGraph([emit('Add', [reshape(made, [1000]), scalar(1)], [1000])], [x])
    expect(footprintOf(graph).peak).toBe(4000)
  })

  it('writes over what is not read any more, and over nothing else', () => {
    const made = emit('Expand', [x, scalar(0)], [100, 10])
    const more = emit('Mul', [emit('Add', [made, scalar(1)], [100, 10]), scalar(2)], [100, 10])
    expect(footprintOf(collectGraph([more], [x])).peak).toBe(4000)
    expect(footprintOf(collectGraph([emit('Sub', [more, made], [100, 10])], [x])).peak).toBe(8000)
  })

  it('frees an output that nobody reads', () => {
    const [values, indices] = emitSeveral(
      'TopK',
      [x, scalar(3)],
      [
        { shape: [3], type: 'float32' },
        { shape: [3], type: 'int64' },
      ],
    )
    if (values === undefined || indices === undefined) throw new Error('There are two.')
    const end = emit('Expand', [values, scalar(0)], [100])
    expect(footprintOf(collectGraph([end], [x])).peak).toBe(412)
  })
})
