import { expect, it } from 'vitest'
import { constant, emit, int, int64s, ints, reshape, scalar, transpose } from '../build.ts'
import { collectGraph } from '../collect.ts'
import { sizeOf } from '../types.ts'
import { optimize } from './optimize.ts'
import { createRandom } from '../../../data/random.ts'
import { createOnnxEngine } from '../../session/onnxEngine.ts'
import { loadOnnxRuntime } from '../../session/package.ts'
import type { Graph, Value } from '../types.ts'

const GRAPHS = 60
const NODES = 30
const PERMS = [
  [0, 2, 3, 1],
  [0, 3, 1, 2],
  [1, 0, 2, 3],
  [3, 2, 1, 0],
]

/** Random graphs of what the rules look for, on values of four dimensions, some of one element. */
function randomGraph(seed: number): Graph {
  const random = createRandom(seed)
  const below = (count: number): number => Math.floor(random() * count)
  const pick = <T>(from: readonly [T, ...T[]] | readonly T[]): T => {
    const found = from[below(from.length)]
    if (found === undefined) throw new Error('There is nothing to choose from.')
    return found
  }
  const elements = (shape: readonly number[]) => Float32Array.from({ length: sizeOf(shape) }, () => random() + 0.5)
  const input = (shape: readonly number[]): Value => {
    return { shape, type: 'float32', source: { kind: 'input', held: { elements: elements(shape), device: null } } }
  }
  const shape = [1 + below(2), 1 + below(3), 1 + below(3), 1 + below(4)]
  const values: Value[] = [input(shape), input(shape)]
  /** Something that broadcasts to the shape: it, a part of it, or one number. */
  const partner = ({ shape: target }: Value): Value => {
    const same = values.filter((value) => value.shape.join() === target.join())
    const less = target.map((extent) => (random() < 0.5 ? 1 : extent)).slice(below(4))
    switch (below(5)) {
      case 0:
        return input(less)
      case 1:
        return constant(elements(less), less, 'float32')
      case 2:
        return constant(new Float32Array(sizeOf(target)).fill(pick([0, 1, 2])), target, 'float32')
      case 3:
        return scalar(pick([0, 1, 0.5]))
      default:
        return pick(same)
    }
  }
  const next = (x: Value): Value => {
    const axis = below(4)
    const along = { attributes: { axis: int(axis) } }
    switch (below(9)) {
      case 0:
      case 1:
        return transpose(x, pick(PERMS))
      case 2:
      case 3: {
        const other = partner(x)
        return emit(
          pick(['Add', 'Sub', 'Mul', 'Max']),
          random() < 0.5 || other.shape.length < 4 ? [x, other] : [other, x],
          x.shape,
        )
      }
      case 4:
        return emit(pick(['Neg', 'Abs', 'Relu', 'Identity', 'Sigmoid']), [x], x.shape)
      case 5: {
        const flat = emit('Reshape', [transpose(x, [0, 2, 3, 1]), int64s([-1])], [sizeOf(x.shape)])
        return reshape(flat, x.shape)
      }
      case 6: {
        const mean = emit('ReduceMean', [x], one(x.shape, axis), {
          attributes: { axes: ints([axis - 4]), keepdims: int(1) },
        })
        const sum = emit('ReduceSum', [x, int64s([axis])], one(x.shape, axis), { attributes: { keepdims: int(1) } })
        return emit('Sub', [x, random() < 0.5 ? mean : emit('Sigmoid', [sum], sum.shape)], x.shape)
      }
      case 7:
        return emit('Softmax', [x], x.shape, along)
      default: {
        const doubled = x.shape.map((extent, each) => (each === axis ? 2 * extent : extent))
        const joined = emit(
          'Concat',
          [x, pick(values.filter((each) => each.shape.join() === x.shape.join()))],
          doubled,
          along,
        )
        return emit('ReduceMax', [reshape(joined, halves(x.shape, axis))], x.shape, {
          attributes: { axes: ints([axis]), keepdims: int(0) },
        })
      }
    }
  }
  for (let i = 0; i < NODES; i++) values.push(next(pick(values.slice(-5))))
  return collectGraph([values.at(-1), pick(values), values.at(-5)].filter((value) => value !== undefined))
}

function one(shape: readonly number[], axis: number): number[] {
  return shape.map((extent, each) => (each === axis ? 1 : extent))
}

function halves(shape: readonly number[], axis: number): number[] {
  return [...shape.slice(0, axis), 2, ...shape.slice(axis)]
}

it('random graphs give what they gave', { timeout: 60_000 }, async () => {
  const engine = createOnnxEngine({ runtime: loadOnnxRuntime(null), provider: 'cpu', threads: 1 })
  const run = async (graph: Graph): Promise<number[][]> => {
    const compiled = await engine.compile(graph)
    const held = graph.inputs.map(({ source }) => (source.kind === 'input' ? source.held : null))
    const results = await compiled.run(held.filter((each) => each !== null))
    return results.map(({ elements }) => Array.from(elements ?? [], Number))
  }
  let [before, after] = [0, 0]
  for (let seed = 1; seed <= GRAPHS; seed++) {
    const graph = randomGraph(seed)
    const optimized = optimize(graph)
    before += graph.nodes.length
    after += optimized.nodes.length
    const [expected, given] = [await run(graph), await run(optimized)]
    expect(optimized.outputs.map(({ shape }) => shape)).toEqual(graph.outputs.map(({ shape }) => shape))
    expected.forEach((numbers, output) => {
      const scale = numbers.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3)
      // Sums may be formed in another order.
      const place = numbers.findIndex((value, i) => !(Math.abs(value - (given[output]?.[i] ?? NaN)) <= 1e-5 * scale))
      expect({ seed, place, given: given[output]?.[place], wanted: numbers[place] }).toMatchObject({ place: -1 })
    })
  }
  expect(after).toBeLessThan(before)
  engine.dispose()
})
