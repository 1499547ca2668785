import type { Graph, GraphNode, Value } from './types.ts'

/**
 * The graph that computes `outputs`: its nodes in an order in which each comes after what it reads, and its inputs in the
 * order in which they are met, `first` before them. Without recursion: a graph may be thousands of nodes deep.
 */
export function collectGraph(outputs: readonly Value[], first: readonly Value[] = []): Graph {
  const nodes: GraphNode[] = []
  const inputs = new Set<Value>(first)
  const done = new Set<GraphNode>()
  const open = new Set<GraphNode>()
  const stack: GraphNode[] = []
  const visit = (value: Value) => {
    if (value.source.kind === 'input') inputs.add(value)
    else if (value.source.kind === 'node' && !done.has(value.source.node)) stack.push(value.source.node)
  }
  for (const output of outputs) {
    visit(output)
    while (stack.length > 0) {
      const node = stack.at(-1)
      if (node === undefined) break
      if (done.has(node)) {
        stack.pop()
      } else if (open.has(node)) {
        stack.pop()
        done.add(node)
        nodes.push(node)
      } else {
        open.add(node)
        for (const input of [...node.inputs].reverse()) if (input !== null) visit(input)
      }
    }
  }
  return { inputs: [...inputs], outputs, nodes }
}
