import { describe, expect, it } from 'vitest'
import { constant, emit, float, int, int64s, ints, scalar, text } from '../graph/build.ts'
import { collectGraph } from '../graph/collect.ts'
import { decodeModel } from './decode.ts'
import { encodeGraph } from './encode.ts'
import type { Graph, Value } from '../graph/types.ts'

function example(): Graph {
  const x: Value = { shape: [2, 3], type: 'float32', source: { kind: 'input', held: null } }
  const weights = constant(Float32Array.of(1, 2, 3), [3], 'float32')
  const shaped = emit('Reshape', [emit('Mul', [x, weights], [2, 3]), int64s([3, -1])], [3, 2])
  const soft = emit('LeakyRelu', [shaped], [3, 2], { attributes: { alpha: float(0.25) } })
  const padded = emit('Pad', [soft, int64s([0, 1, 0, 1]), null], [3, 4], { attributes: { mode: text('reflect') } })
  const most = emit('ReduceMax', [padded], [3], { attributes: { axes: ints([1]), keepdims: int(0) } })
  return collectGraph([most, scalar(3, 'int32')], [x])
}

describe('an ONNX file', () => {
  it('says what the graph is', () => {
    const model = decodeModel(encodeGraph(example(), { inputShape: () => ['n', 3], outputShape: () => [3] }))
    expect(model).toMatchObject({
      irVersion: 8,
      producer: 'Maskwright',
      opsets: [{ domain: '', version: 17 }],
      inputs: [{ name: 'in0', elementType: 1, shape: ['n', 3] }],
      outputs: [
        { name: 'out0', elementType: 1, shape: [3] },
        { name: 'out1', elementType: 6, shape: [3] },
      ],
    })
    expect(
      model.nodes.map(({ op, attributes }) => [op, attributes.map(({ name, value }) => ({ name, value }))]),
    ).toEqual([
      ['Mul', []],
      ['Reshape', []],
      ['LeakyRelu', [{ name: 'alpha', value: 0.25 }]],
      ['Pad', [{ name: 'mode', value: 'reflect' }]],
      [
        'ReduceMax',
        [
          { name: 'axes', value: [1] },
          { name: 'keepdims', value: 0 },
        ],
      ],
      ['Identity', []],
    ])
    expect(model.nodes[3]?.inputs).toEqual(['v2_0', 'c2', ''])
    const [weights, shape] = model.initializers
    expect(weights).toMatchObject({ shape: [3], elementType: 1, isExternal: false, numbers: [] })
    const bytesOf = (raw: Uint8Array | null | undefined) => Uint8Array.from(raw ?? []).buffer
    expect([...new Float32Array(bytesOf(weights?.raw))]).toEqual([1, 2, 3])
    expect([...new BigInt64Array(bytesOf(shape?.raw))]).toEqual([3n, -1n])
  })

  it('is the same bytes for the same graph', () => {
    expect(encodeGraph(example())).toEqual(encodeGraph(example()))
  })

  it('that is cut off, or something else, is refused', () => {
    const bytes = encodeGraph(example())
    for (const end of [0, 1, 40, bytes.length - 3]) expect(() => decodeModel(bytes.subarray(0, end))).toThrow('ONNX')
    expect(() => decodeModel(new TextEncoder().encode('{"format":"layers-model"}'))).toThrow('ONNX')
  })
})
