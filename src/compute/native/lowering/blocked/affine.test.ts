import { describe, expect, it } from 'vitest'
import { expectClose } from '../../../kernels/testing/checkGradients.ts'
import { randomCases, randomValues } from '../../../kernels/testing/random.ts'
import { collectGraph } from '../../graph/collect.ts'
import { emit, int, ints, reshape, scalar } from '../../graph/build.ts'
import { binary, unary } from '../../kernels/math.ts'
import { createOnnxEngine } from '../../session/onnxEngine.ts'
import { loadOnnxRuntime } from '../../session/package.ts'
import { holds } from '../../tensors.ts'
import { blockSize } from '../blockSize.ts'
import { joinAffine } from './affine.ts'
import { divideReductions } from './reductions.ts'
import type { Graph, Value } from '../../graph/types.ts'

const runtime = loadOnnxRuntime(null)
const block = await blockSize(runtime)
const engine = createOnnxEngine({ runtime, provider: 'cpu', threads: 2, block: null })

const input = (shape: readonly number[]): Value => ({ shape, type: 'float32', source: { kind: 'input', held: null } })

async function resultsOf(graph: Graph): Promise<Float32Array[]> {
  const held = graph.inputs.map(({ shape }, i) => holds(randomValues(shape, 3 + i)))
  const results = await (await engine.compile(graph)).run(held)
  return results.map(({ elements }) => (elements instanceof Float32Array ? elements : new Float32Array()))
}

const cases = randomCases(24, 41, (choice) => ({
  images: choice.of([1, 2, 3]),
  blocks: choice.of([1, 2, 3]),
  sides: choice.of<[number, number]>([
    [32, 40],
    [64, 64],
    [37, 41],
  ]),
  seed: choice.whole(1, 1e6),
}))

describe.skipIf(block === null)('scaling and shifting of blocked images', () => {
  const lanes = block ?? 16

  it.each(cases)('%s', async (_, { images, blocks, sides, seed }) => {
    const [pick] = randomCases(1, seed, (choice) => choice)[0]?.slice(1) ?? []
    if (typeof pick !== 'object') throw new Error('One choice was expected.')
    const pixels = sides[0] * sides[1]
    const shape = [images, blocks * lanes, ...sides]
    const pictures = [input(shape), input(shape), input(shape)]
    const numbers = [1, images].flatMap((m) => [input([m, blocks, 1, lanes]), input([m, blocks, 1, lanes])])
    const known: Value[] = [...pictures]
    for (let step = 0; step < 9; step++) {
      const x = known[pick.whole(Math.max(0, known.length - 3), known.length - 1)] ?? input(shape)
      const kind = pick.whole(0, 5)
      const asLanes = reshape(x, [images, blocks, pixels, lanes])
      const op = pick.of(['Mul', 'Add', 'Sub'])
      if (kind <= 2) {
        const by = numbers[pick.whole(0, numbers.length - 1)] ?? scalar(1)
        const [left, right] = pick.whole(0, 3) === 0 ? [by, asLanes] : [asLanes, by]
        known.push(reshape(binary(op, left, right), shape))
      } else if (kind === 3) known.push(binary(op, x, known[pick.whole(0, known.length - 1)] ?? x))
      else known.push(kind === 4 ? unary('Relu', x) : binary(op, x, 0.5))
    }
    const graph = collectGraph(known.slice(-2), [...pictures, ...numbers])
    const joined = joinAffine(graph, lanes)
    const [expected, given] = [await resultsOf(graph), await resultsOf(joined)]
    expected.forEach((wanted, i) => {
      expectClose(given[i] ?? [], wanted, 1e-5)
    })
  })

  it('takes one pass an image', async () => {
    const shape = [1, lanes, 64, 64]
    const [x, y] = [input(shape), input(shape)]
    const [a, b, c] = [input([1, 1, 1, lanes]), input([1, 1, 1, lanes]), input([1, 1, 1, lanes])]
    const flat = (image: Value) => reshape(image, [1, 1, 64 * 64, lanes])
    const sum = binary('Mul', binary('Sub', binary('Sub', flat(x), a), binary('Mul', flat(y), b)), c)
    const graph = collectGraph([unary('Relu', reshape(sum, shape))], [x, y, a, b, c])
    const joined = joinAffine(graph, lanes)
    const large = joined.nodes.filter(({ op, outputs: [output] }) => op !== 'Reshape' && (output?.shape[3] ?? 1) === 64)
    expect(large.map(({ op, domain }) => `${domain} ${op}`)).toEqual(Array(2).fill('com.microsoft.nchwc Conv'))
    expectClose((await resultsOf(joined))[0] ?? [], (await resultsOf(graph))[0] ?? [], 1e-5)
  })

  it('sums over pixels in two steps', async () => {
    const x = input([1, 2, 2048, lanes])
    const mean = emit('ReduceMean', [x], [1, 2, 1, lanes], { attributes: { axes: ints([2]), keepdims: int(1) } })
    const graph = collectGraph([mean], [x])
    const divided = divideReductions(graph)
    expect(divided.nodes.filter(({ op }) => op === 'ReduceMean')).toHaveLength(2)
    expectClose((await resultsOf(divided))[0] ?? [], (await resultsOf(graph))[0] ?? [], 1e-6)
  })
})
