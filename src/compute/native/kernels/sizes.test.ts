import { describe, expect, it } from 'vitest'
import { regrouped } from './reshaping.ts'
import { cutAxis, reversed } from './slicing.ts'
import type { Value } from '../graph/types.ts'

function image(shape: readonly number[]): Value {
  return { shape, type: 'float32', source: { kind: 'input', held: null } }
}

/** The operation and the whole numbers that are written into the graph, but for the axes they are for. */
function written({ source }: Value): unknown {
  if (source.kind !== 'node') return 'nothing'
  const numbers = source.node.inputs.slice(1).map((input) => {
    return input?.source.kind === 'constant' ? Array.from(input.source.elements, Number) : []
  })
  return [source.node.op, ...numbers]
}

describe('graphs for images of any size', () => {
  it.each([
    { from: [2, 8, 6, 4], to: [2, 48, 4], as: ['Reshape', [0, -1, 4]] },
    { from: [2, 8, 6, 4], to: [96, 4], as: ['Reshape', [-1, 4]] },
    { from: [2, 8, 6, 4], to: [384], as: ['Reshape', [-1]] },
    { from: [2, 8, 6, 4], to: [2, 8, 6, 2, 2], as: ['Reshape', [0, 0, 0, -1, 2]] },
    { from: [2, 8, 6, 1], to: [2, 8, 6], as: ['Reshape', [0, 0, 0]] },
    { from: [2, 8, 6], to: [2, 8, 6, 1], as: ['Reshape', [0, 0, 0, 1]] },
    { from: [1, 8, 6, 4], to: [8, 6, 4], as: ['Squeeze', [0]] },
    { from: [8, 6, 4], to: [1, 8, 6, 4], as: ['Unsqueeze', [0]] },
    { from: [2, 4], to: [2, 1, 1, 4], as: ['Unsqueeze', [1, 2]] },
    { from: [2, 4], to: [2, 4], as: 'nothing' },
    { from: [2, 0], to: [0, 5], as: ['Reshape', [0, 5]] },
  ])('have $from reshaped to $to without its extents', ({ from, to, as }) => {
    const value = regrouped(image(from), to)
    expect(value.shape).toEqual(to)
    expect(written(value)).toEqual(as)
  })

  it('have borders cut off by their width', () => {
    const borderless = (extent: number) => cutAxis(image([1, extent, 5, 2]), 1, 2, extent - 3)
    expect(written(borderless(9))).toEqual(['Slice', [2], [-1], [1], [1]])
    expect(written(borderless(20))).toEqual(written(borderless(9)))
    expect(written(cutAxis(image([1, 9]), 1, 3, 6))).toEqual(['Slice', [3], [2 ** 31 - 1], [1], [1]])
    expect(written(cutAxis(image([1, 9]), 1, 0, 2))).toEqual(['Slice', [0], [2], [1], [1]])
    expect(written(cutAxis(image([1, 9]), 1, 0, 9))).toBe('nothing')
  })

  it('have axes turned around whatever their extent', () => {
    expect(written(reversed(image([1, 9]), [1]))).toEqual(['Slice', [-1], [1 - 2 ** 31], [1], [-1]])
  })
})
