import { COMPOSITE, FILTER_GRADIENT, INPUT_GRADIENT, MAX_POOL_GRADIENT, geometryIn } from './composite.ts'
import { filterGradient } from './filterGradient.ts'
import { inputGradient } from './inputGradient.ts'
import { maxPoolGradient } from './maxPoolGradient.ts'
import { rewrite } from './rewrite.ts'
import type { Graph, GraphNode, Value } from '../graph/types.ts'
import type { Geometry } from '../kernels/image/geometry.ts'

const FORMS: Readonly<
  Record<string, (inputs: readonly Value[], shape: readonly number[], geometry: Geometry) => Value>
> = {
  [INPUT_GRADIENT]: inputGradient,
  [FILTER_GRADIENT]: filterGradient,
  [MAX_POOL_GRADIENT]: maxPoolGradient,
}

/** The graph with every composite (composite.ts) made of ONNX's own operations: for any provider. */
export function lowerPortably(graph: Graph): Graph {
  if (!graph.nodes.some(({ domain }) => domain === COMPOSITE)) return graph
  return rewrite(graph, (node, inputs) => (node.domain === COMPOSITE ? [expanded(node, inputs)] : null))
}

/** The output of a composite by ONNX's own operations. */
export function expanded({ op, outputs, ...node }: GraphNode, inputs: readonly (Value | null)[]): Value {
  const form = FORMS[op]
  const shape = outputs[0]?.shape
  if (form === undefined || shape === undefined) throw new Error(`There is no form for ${op}.`)
  const given = inputs.filter((input) => input !== null)
  return form(given, shape, geometryIn({ op, outputs, ...node }))
}
