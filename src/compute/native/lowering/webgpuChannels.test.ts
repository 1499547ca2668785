import { describe, expect, it } from 'vitest'
import { createRandom } from '../../data/random.ts'
import { emit, int, ints } from '../graph/build.ts'
import { collectGraph } from '../graph/collect.ts'
import { createOnnxEngine } from '../session/onnxEngine.ts'
import { loadOnnxRuntime } from '../session/package.ts'
import { holds } from '../tensors.ts'
import { withSafeChannels } from './webgpuChannels.ts'
import type { Graph, Value } from '../graph/types.ts'

const input = (shape: readonly number[]): Value => ({ shape, type: 'float32', source: { kind: 'input', held: null } })

function convolution(incoming: number, outgoing: number, kernel: number, group = 1): Graph {
  const image = input([2, incoming, 5, 7])
  const filter = input([outgoing, incoming / group, kernel, kernel])
  const edge = (kernel - 1) / 2
  const attributes = { pads: ints([edge, edge, edge, edge]), group: int(group) }
  return collectGraph([emit('Conv', [image, filter], [2, outgoing, 5, 7], { attributes })], [image, filter])
}

async function run({ inputs }: Graph, graph: Graph): Promise<number[]> {
  const random = createRandom(7)
  const engine = createOnnxEngine({ runtime: loadOnnxRuntime(null), provider: 'cpu', threads: 1 })
  const fed = inputs.map(({ shape }) =>
    holds(Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random() - 0.5)),
  )
  const [result] = await (await engine.compile(graph)).run(fed)
  if (result === undefined) throw new Error('There is no result.')
  return [...(await engine.elements(result))]
}

describe('withSafeChannels', () => {
  it.each([
    [6, 12, 3],
    [15, 4, 3],
    [9, 8, 5],
  ])('fills up %i channels on their way to %i, and the sums stay', async (incoming, outgoing, kernel) => {
    const graph = convolution(incoming, outgoing, kernel)
    const safe = withSafeChannels(graph)
    expect(safe.nodes.map(({ op }) => op)).toEqual(['Pad', 'Pad', 'Conv'])
    expect(safe.inputs).toEqual(graph.inputs)
    const widened = safe.nodes.at(-1)?.inputs.map((value) => (value?.shape[1] ?? 0) % 4)
    expect(widened).toEqual([0, 0])
    const [before, after] = [await run(graph, graph), await run(graph, safe)]
    expect(before).toHaveLength(2 * outgoing * 5 * 7)
    after.forEach((value, index) => expect(value).toBeCloseTo(before[index] ?? NaN, 5))
  })

  it.each([
    [3, 4, 3, 1],
    [6, 6, 3, 1],
    [6, 12, 1, 1],
    [12, 8, 3, 1],
    [6, 12, 3, 6],
  ])('leaves %i to %i with a kernel of %i in %i groups as it is', (incoming, outgoing, kernel, group) => {
    const graph = convolution(incoming, outgoing, kernel, group)
    expect(withSafeChannels(graph)).toBe(graph)
  })
})
