import { beforeAll, describe, expect, it } from 'vitest'
import { emit, int, int64s, ints, constant, reshape, scalar, transpose } from '../build.ts'
import { collectGraph } from '../collect.ts'
import { sizeOf } from '../types.ts'
import { optimize } from './optimize.ts'
import { createOnnxEngine } from '../../session/onnxEngine.ts'
import { loadOnnxRuntime } from '../../session/package.ts'
import { createRandom } from '../../../data/random.ts'
import type { Engine } from '../../engine.ts'
import type { OptimizeOptions } from './optimize.ts'
import type { Graph, Value } from '../types.ts'

let engine: Engine
beforeAll(() => {
  engine = createOnnxEngine({ runtime: loadOnnxRuntime(null), provider: 'cpu', threads: 1 })
})

const random = createRandom(5)

function input(...shape: number[]): Value {
  const elements = Float32Array.from({ length: sizeOf(shape) }, () => random() * 4 - 2)
  return { shape, type: 'float32', source: { kind: 'input', held: { elements, device: null } } }
}

async function numbers(graph: Graph): Promise<number[][]> {
  const compiled = await engine.compile(graph)
  const held = graph.inputs.map(({ source }) => (source.kind === 'input' ? source.held : null))
  const results = await compiled.run(held.flatMap((each) => (each === null ? [] : [each])))
  return results.map(({ elements }) => Array.from(elements ?? [], Number))
}

/** Optimizes, checks that the numbers stay, and gives the operations that are left. */
async function left(outputs: Value[], options: OptimizeOptions = {}): Promise<string[]> {
  const graph = collectGraph(outputs)
  const optimized = optimize(graph, options)
  expect(optimized.outputs.map(({ shape, type }) => ({ shape, type }))).toEqual(
    graph.outputs.map(({ shape, type }) => ({ shape, type })),
  )
  expect(await numbers(optimized)).toEqual(await numbers(graph))
  return optimized.nodes.map(({ op }) => op)
}

const NHWC = [0, 2, 3, 1]
const NCHW = [0, 3, 1, 2]
const like = (op: string, ...inputs: [Value, ...Value[]]): Value => emit(op, inputs, inputs[0].shape)

describe('transposes', () => {
  it('cancel one another', async () => {
    expect(await left([like('Relu', transpose(transpose(input(2, 3, 4, 5), NHWC), NCHW))])).toEqual(['Relu'])
  })

  it('become one', async () => {
    expect(await left([transpose(transpose(input(2, 3, 4, 5), NHWC), [3, 2, 1, 0])])).toEqual(['Transpose'])
  })

  it('cancel around elementwise work, with what is broadcast to it', async () => {
    const x = input(2, 3, 4, 5)
    const turned = transpose(x, NHWC)
    const shifted = like('Add', turned, input(3))
    const scaled = like(
      'Mul',
      like('Relu', shifted),
      constant(Float32Array.from({ length: 15 }, random), [5, 3], 'float32'),
    )
    const masked = like('Add', transpose(x, NHWC), scaled)
    const ops = await left([transpose(masked, NCHW)])
    expect(ops).not.toContain('Transpose')
  })

  it('turn what is broadcast where its order changes', async () => {
    const x = transpose(input(2, 3, 3, 3), NHWC)
    const table = constant(Float32Array.from({ length: 9 }, random), [1, 3, 3, 1], 'float32')
    const other = constant(Float32Array.from({ length: 9 }, random), [3, 1, 3], 'float32')
    expect(await left([transpose(like('Add', like('Mul', x, table), other), NCHW)])).toEqual(['Mul', 'Add'])
    const given = like('Add', like('Mul', x, input(1, 3, 3, 1)), input(3, 1, 3))
    expect(await left([transpose(given, NCHW)])).toEqual(['Transpose', 'Mul', 'Add', 'Transpose'])
  })

  it('stay where another reader needs them', async () => {
    const turned = transpose(input(2, 3, 4, 5), NHWC)
    expect(await left([like('Relu', turned), like('Neg', turned)])).toEqual(['Transpose', 'Relu', 'Neg'])
  })

  it('vanish before reductions', async () => {
    const turned = transpose(input(2, 3, 4, 5), NHWC)
    const sum = emit('ReduceSum', [turned, int64s([0, 1, 2])], [3], { attributes: { keepdims: int(0) } })
    const mean = emit('ReduceMean', [turned], [2, 1, 1, 3], { attributes: { axes: ints([1, -2]), keepdims: int(1) } })
    const most = emit('ReduceMax', [turned], [2, 4, 3], { attributes: { axes: ints([2]), keepdims: int(0) } })
    const ops = await left([sum, transpose(mean, NCHW), most])
    expect(ops).toEqual(['ReduceSum', 'ReduceMean', 'ReduceMax', 'Transpose'])
  })

  it('cancel around joins and softmax', async () => {
    const parts = [transpose(input(2, 3, 4, 5), NHWC), transpose(input(2, 2, 4, 5), NHWC)]
    const joined = emit('Concat', parts, [2, 4, 5, 5], { attributes: { axis: int(-1) } })
    const soft = emit('Softmax', [joined], [2, 4, 5, 5], { attributes: { axis: int(3) } })
    expect(await left([transpose(soft, NCHW)])).toEqual(['Concat', 'Softmax'])
  })
})

describe('reshapes', () => {
  it('take over what only moves axes of one element', async () => {
    const statistics = like('Sqrt', like('Abs', reshape(input(2, 3), [2, 1, 1, 3])))
    expect(await left([transpose(statistics, NCHW)])).toEqual(['Reshape', 'Abs', 'Sqrt', 'Reshape'])
    expect(await left([transpose(input(2, 3, 5, 1), NCHW)])).toEqual(['Transpose'])
    const scaled = like('Mul', transpose(input(2, 3, 4, 5), NHWC), statistics)
    expect(await left([transpose(scaled, NCHW)])).not.toContain('Transpose')
  })

  it('become one, or none', async () => {
    const x = input(2, 3, 4)
    expect(await left([like('Relu', reshape(reshape(x, [6, 4]), [2, 3, 4]))])).toEqual(['Relu'])
    const copied = emit('Reshape', [reshape(x, [2, 12]), int64s([0, 4, -1])], [2, 4, 3])
    expect(await left([copied])).toEqual(['Reshape'])
  })

  it('keep one in between that a copied extent needs', async () => {
    const inner = emit('Reshape', [input(2, 3, 4), int64s([-1, 4])], [6, 4])
    const outer = emit('Reshape', [inner, int64s([0, 2, 2])], [6, 2, 2])
    expect(await left([outer])).toEqual(['Reshape', 'Reshape'])
  })
})

describe('constants', () => {
  it('are computed', async () => {
    const weights = constant(Float32Array.from({ length: 24 }, random), [2, 3, 4], 'float32')
    const arranged = reshape(transpose(weights, [2, 0, 1]), [4, 6])
    const scaled = emit('Div', [emit('Sqrt', [arranged], [4, 6]), reshape(scalar(3), [1, 1])], [4, 6])
    const joined = emit('Concat', [scaled, scaled, scaled], [4, 18], { attributes: { axis: int(1) } })
    const wide = emit('Expand', [scalar(2), int64s([18])], [18])
    expect(await left([emit('Mul', [emit('Add', [joined, wide], [4, 18]), input(4, 1)], [4, 18])])).toEqual(['Mul'])
  })

  it('of other types are cast', async () => {
    const whole = emit('Cast', [scalar(-2.7)], [], { attributes: { to: int(6) }, type: 'int32' })
    const truth = emit('Cast', [whole], [], { attributes: { to: int(9) }, type: 'bool' })
    const back = emit('Cast', [truth], [], { attributes: { to: int(1) }, type: 'float32' })
    expect(await left([emit('Mul', [back, input(2)], [2]), emit('Add', [whole, scalar(1, 'int32')], [])])).toEqual([
      'Add',
    ])
  })

  it('that are large are left', async () => {
    const large = transpose(constant(new Float32Array(12).fill(2), [3, 4], 'float32'), [1, 0])
    expect(await left([emit('Div', [large, input(4, 3)], [4, 3])], { foldable: 11 })).toEqual(['Transpose', 'Div'])
  })

  it('that change nothing, or are the same everywhere, vanish or shrink', async () => {
    const x = input(2, 3)
    const uniform = (value: number) => constant(new Float32Array(6).fill(value), [2, 3], 'float32')
    const same = like('Div', like('Mul', like('Sub', like('Add', uniform(0), x), scalar(0)), uniform(1)), scalar(1))
    const optimized = optimize(collectGraph([like('Pow', same, uniform(2))]))
    expect(optimized.nodes.map(({ op, inputs }) => [op, inputs[1]?.shape])).toEqual([['Pow', []]])
    expect(await left([like('Mul', x, emit('Expand', [input(3), int64s([2, 3])], [2, 3]))])).toEqual(['Mul'])
  })
})

describe('nodes', () => {
  it('that are equal are shared, and so are equal constants', async () => {
    const x = input(2, 3)
    const side = (): Value => emit('Pow', [like('Exp', x), scalar(2)], [2, 3])
    expect(await left([like('Sub', side(), side())])).toEqual(['Exp', 'Pow', 'Sub'])
  })

  it('that hand on or cast there and back vanish', async () => {
    const x = input(2, 3)
    const truth = emit('Greater', [x, scalar(0)], [2, 3], { type: 'bool' })
    const there = emit('Cast', [truth], [2, 3], { attributes: { to: int(1) }, type: 'float32' })
    const back = emit('Cast', [there], [2, 3], { attributes: { to: int(9) }, type: 'bool' })
    expect(await left([emit('Where', [back, like('Identity', x), scalar(7)], [2, 3], { type: 'float32' })])).toEqual([
      'Greater',
      'Where',
    ])
  })

  it('of the given graph stay as they are', () => {
    const x = input(2, 3)
    const inner = like('Identity', x)
    const outer = like('Relu', inner)
    const graph = collectGraph([outer])
    optimize(graph)
    expect(graph.nodes.map(({ op }) => op)).toEqual(['Identity', 'Relu'])
    expect(graph.nodes[1]?.inputs[0]).toBe(inner)
  })
})

describe('inputs', () => {
  it('and outputs keep their order, also where they are the same or not read any more', async () => {
    const [x, y] = [input(2), input(2)]
    const none = emit('Sub', [y, y], [2])
    const graph = collectGraph(
      [like('Identity', x), like('Identity', x), y, emit('Add', [x, none], [2]), scalar(4)],
      [y, x],
    )
    const optimized = optimize(graph)
    expect(optimized.inputs).toEqual([y, x])
    expect(await numbers(optimized)).toEqual(await numbers(graph))
  })

  it('that are frozen become constants', async () => {
    const [x, filter] = [input(2, 2), input(2, 2)]
    const graph = collectGraph([like('Mul', x, transpose(filter, [1, 0]))])
    const optimized = optimize(graph, { frozen: new Map([[filter, Float32Array.of(1, 2, 3, 4)]]) })
    expect(optimized.inputs).toEqual([x])
    expect(optimized.nodes.map(({ op }) => op)).toEqual(['Mul'])
    const times = (numbers: number[], factors: number[]) =>
      numbers.map((each, index) => Math.fround(each * (factors[index] ?? 0)))
    const [given] = await numbers(collectGraph([like('Identity', x)]))
    expect(await numbers(optimized)).toEqual([times(given ?? [], [1, 3, 2, 4])])
  })
})

it('takes a deep graph', () => {
  let value = input(2, 3)
  for (let i = 0; i < 3000; i++)
    value = i % 3 === 0 ? transpose(value, [1, 0]) : emit('Add', [value, scalar(i)], value.shape)
  const graph = collectGraph([value])
  expect(optimize(graph).nodes.filter(({ op }) => op === 'Transpose').length).toBeLessThan(2)
})
