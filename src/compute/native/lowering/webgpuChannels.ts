import { constant, emit, emitSeveral, int64s } from '../graph/build.ts'
import { rewrite } from './rewrite.ts'
import type { Graph, GraphNode, Value } from '../graph/types.ts'

/**
 * ONNX Runtime 1.30 computes some convolutions wrongly through WebGPU (microsoft/onnxruntime#29651): where the channels
 * that come in are a multiple of 3, but neither 3 nor one of 4, those that go out a multiple of 4, and the kernel larger
 * than a point. Those are given channels of zeros up to the next multiple of 4, which change no sum.
 */
export function withSafeChannels(graph: Graph): Graph {
  if (!graph.nodes.some(isUnsafe)) return graph
  return rewrite(graph, (node, inputs) => {
    const [image, filter, ...others] = inputs
    if (!isUnsafe(node) || image === null || image === undefined || filter === null || filter === undefined) return null
    const given = [withZeros(image), withZeros(filter), ...others]
    return emitSeveral(node.op, given, node.outputs, { attributes: node.attributes, domain: node.domain })
  })
}

function isUnsafe({ op, domain, inputs, attributes }: GraphNode): boolean {
  if (op !== 'Conv' || domain !== '') return false
  const { group } = attributes
  const [outgoing = 0, incoming = 0, ...kernel] = inputs[1]?.shape ?? []
  const whole = group === undefined || (group.kind === 'int' && group.value === 1)
  const channels = incoming > 3 && incoming % 3 === 0 && incoming % 4 !== 0 && outgoing % 4 === 0
  return whole && channels && kernel.some((size) => size > 1)
}

/** Its second axis is made a multiple of 4. */
function withZeros(value: Value): Value {
  const [first = 1, channels = 1, ...rest] = value.shape
  const padded = Math.ceil(channels / 4) * 4
  const pads = [0, 0, ...rest.map(() => 0), 0, padded - channels, ...rest.map(() => 0)]
  const zero = constant(Float32Array.of(0), [], 'float32')
  return emit('Pad', [value, int64s(pads), zero], [first, padded, ...rest])
}
