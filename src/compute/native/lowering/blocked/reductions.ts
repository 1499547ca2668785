import { emit, int, int64s, ints, reshape } from '../../graph/build.ts'
import { rewrite } from '../rewrite.ts'
import type { Graph, GraphNode, Value } from '../../graph/types.ts'

/** Into so many parts the pixels are divided. */
const PARTS = 8
const FEWEST_PIXELS = 1024
const MOST_BLOCKS = 16

/**
 * Sums and means over the pixels [m, blocks, pixels, block] of a few blocks of channels are taken in two steps: ONNX
 * Runtime shares the work among threads, and goes about it with whole registers, only where there are enough rows of the
 * result. Rounding gets less too.
 */
export function divideReductions(graph: Graph): Graph {
  return rewrite(graph, (node, inputs) => {
    const [x = null] = inputs
    const [output] = node.outputs
    if (x === null || output === undefined || !isOverPixels(node)) return null
    const [images = 1, blocks = 1, pixels = 1, block = 1] = x.shape
    if (pixels < FEWEST_PIXELS || pixels % PARTS !== 0 || images * blocks > MOST_BLOCKS) return null
    const parts = reshape(x, [images * blocks, PARTS, pixels / PARTS, block])
    const sums = reduced(node.op, parts, 2)
    return [reshape(reduced(node.op, sums, 1), output.shape)]
  })
}

function isOverPixels({ op, inputs, attributes, outputs }: GraphNode): boolean {
  const [x = null, given = null] = inputs
  if (x?.shape.length !== 4 || x.type !== 'float32' || outputs[0]?.shape.length !== 4) return false
  if (op === 'ReduceMean') return attributes.axes?.kind === 'ints' && attributes.axes.value.join() === '2'
  return op === 'ReduceSum' && given?.source.kind === 'constant' && given.source.elements.join() === '2'
}

function reduced(op: string, value: Value, axis: number): Value {
  const shape = value.shape.with(axis, 1)
  if (op === 'ReduceSum') return emit(op, [value, int64s([axis])], shape, { attributes: { keepdims: int(1) } })
  return emit(op, [value], shape, { attributes: { axes: ints([axis]), keepdims: int(1) } })
}
