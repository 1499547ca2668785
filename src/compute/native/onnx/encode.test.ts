import { describe, expect, it } from 'vitest'
import { constant, emit, float, int, int64s, ints, scalar, text } from '../graph/build.ts'
import { collectGraph } from '../graph/collect.ts'
import { encodeGraph } from './encode.ts'
import { ModelMessage } from './schema.ts'
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
    const bytes = encodeGraph(example(), { inputShape: () => ['n', 3], metadata: { 'maskwright.name': '"x"' } })
    const model: unknown = ModelMessage.toObject(ModelMessage.decode(bytes), { longs: Number })
    const port = (name: string, elemType: number, ...dim: object[]) => {
      return { name, type: { tensorType: { elemType, shape: dim.length === 0 ? {} : { dim } } } }
    }
    expect(model).toMatchObject({
      irVersion: 8,
      opsetImport: [{ version: 17 }],
      metadataProps: [{ key: 'maskwright.name', value: '"x"' }],
      graph: {
        input: [port('in0', 1, { dimParam: 'n' }, { dimValue: 3 })],
        output: [port('out0', 1, { dimValue: 3 }), port('out1', 6)],
        node: [
          { opType: 'Mul', input: ['in0', 'c0'], output: ['v0_0'] },
          { opType: 'Reshape', input: ['v0_0', 'c1'] },
          { opType: 'LeakyRelu', attribute: [{ name: 'alpha', type: 1, f: 0.25 }] },
          {
            opType: 'Pad',
            input: ['v2_0', 'c2', ''],
            attribute: [{ name: 'mode', type: 3, s: Buffer.from('reflect') }],
          },
          {
            opType: 'ReduceMax',
            output: ['out0'],
            attribute: [
              { name: 'axes', type: 7, ints: [1] },
              { name: 'keepdims', type: 2 },
            ],
          },
          { opType: 'Identity', input: ['c3'], output: ['out1'] },
        ],
        initializer: [
          { name: 'c0', dims: [3], dataType: 1, rawData: Buffer.from(Float32Array.of(1, 2, 3).buffer) },
          { name: 'c1', dims: [2], dataType: 7, rawData: Buffer.from(BigInt64Array.of(3n, -1n).buffer) },
          { name: 'c2', dims: [4], dataType: 7 },
          { name: 'c3', dataType: 6, rawData: Buffer.from(Int32Array.of(3).buffer) },
        ],
      },
    })
  })

  it('is the same bytes for the same graph', () => {
    expect(encodeGraph(example())).toEqual(encodeGraph(example()))
  })
})
