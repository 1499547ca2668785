import type { Graph, GraphNode, Value } from '../../graph/types.ts'

/** Who reads the values of a graph. */
export interface Uses {
  /** null where nothing reads it, several do, or the graph gives it out. */
  readonly onlyReader: (value: Value) => GraphNode | null
}

export function usesOf({ nodes, outputs }: Graph): Uses {
  const readers = new Map<Value, GraphNode | null>()
  const read = (value: Value, by: GraphNode | null) => readers.set(value, readers.has(value) ? null : by)
  for (const node of nodes) for (const input of node.inputs) if (input !== null) read(input, node)
  for (const output of outputs) read(output, null)
  return { onlyReader: (value) => readers.get(value) ?? null }
}
