import { collectGraph } from '../graph/collect.ts'
import { emitSeveral } from '../graph/build.ts'
import type { Graph, GraphNode, Value } from '../graph/types.ts'

/**
 * A graph in which some nodes are replaced: `replace` is given each node in order, with what its inputs have become, and
 * gives the values that stand for its outputs, or null for the node to stay. The given graph is not changed.
 */
export function rewrite(
  graph: Graph,
  replace: (node: GraphNode, inputs: readonly (Value | null)[]) => readonly Value[] | null,
): Graph {
  const stands = new Map<Value, Value>()
  const standIn = (value: Value): Value => stands.get(value) ?? value
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((input) => (input === null ? null : standIn(input)))
    const replaced = replace(node, inputs) ?? withInputs(node, inputs)
    node.outputs.forEach((output, index) => {
      const stand = replaced[index]
      if (stand !== undefined && stand !== output) stands.set(output, stand)
    })
  }
  return collectGraph(graph.outputs.map(standIn), graph.inputs)
}

function withInputs(node: GraphNode, inputs: readonly (Value | null)[]): readonly Value[] {
  if (inputs.every((input, index) => input === node.inputs[index])) return node.outputs
  const { op, domain, attributes, outputs } = node
  return emitSeveral(op, inputs, outputs, { attributes, domain })
}
