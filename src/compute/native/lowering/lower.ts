import { optimize } from '../graph/passes/optimize.ts'
import { joinAffine } from './blocked/affine.ts'
import { lowerBlocked } from './blocked/lower.ts'
import { divideReductions } from './blocked/reductions.ts'
import { COMPOSITE } from './composite.ts'
import { lowerPortably } from './portable.ts'
import type { Graph } from '../graph/types.ts'

/**
 * The graph as a session takes it, without composites (composite.ts). `block` is how many channels ONNX Runtime's blocked
 * layout has on this machine (blockSize.ts); null where it has none, as on every provider but the processor.
 */
export function lower(graph: Graph, block: number | null): Graph {
  // Of graphs whose weights are constants ONNX Runtime makes the same by itself.
  const trains = graph.nodes.some(
    ({ op, domain, inputs }) => domain === COMPOSITE || (op === 'Conv' && inputs[1]?.source.kind !== 'constant'),
  )
  if (block === null || !trains) return lowerPortably(graph)
  const blocked = optimize(divideReductions(lowerBlocked(graph, block)))
  const joined = joinAffine(blocked, block)
  return isSame(joined, blocked) ? blocked : optimize(joined)
}

function isSame(a: Graph, b: Graph): boolean {
  return a.nodes.length === b.nodes.length && a.nodes.every((node, index) => node === b.nodes[index])
}
