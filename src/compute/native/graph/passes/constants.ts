import { constant } from '../build.ts'
import { sizeOf } from '../types.ts'
import { BINARY, castElements, concatenated, expanded, transposed, UNARY, withBroadcasting } from './evaluate.ts'
import { intOf, permOf } from './rule.ts'
import type { Rule } from './rule.ts'
import type { Elements, GraphNode, Value } from '../types.ts'

interface Known {
  readonly elements: Elements
  readonly shape: readonly number[]
}

const SAME_ELEMENTS = new Set(['Identity', 'Reshape', 'Squeeze', 'Unsqueeze', 'Flatten'])

/** A node that reads constants alone is a constant, for the operations that occur so and results of a bounded size. */
export const foldConstants: Rule = (node, { foldable }) => {
  const [output, ...more] = node.outputs
  if (output === undefined || more.length > 0 || node.domain !== '') return null
  if (sizeOf(output.shape) > foldable && !SAME_ELEMENTS.has(node.op)) return null
  const known: Known[] = []
  for (const input of node.inputs) {
    if (input?.source.kind !== 'constant') return null
    known.push({ elements: input.source.elements, shape: input.shape })
  }
  const elements = evaluated(node, known, output)
  return elements === null ? null : [constant(elements, output.shape, output.type)]
}

function evaluated(node: GraphNode, [first, second, ...more]: readonly Known[], output: Value): Elements | null {
  if (first === undefined) return null
  if (SAME_ELEMENTS.has(node.op)) return first.elements
  switch (node.op) {
    case 'Transpose':
      return transposed(first.elements, first.shape, permOf(node))
    case 'Cast':
      return castElements(first.elements, output.type)
    case 'Expand':
      return expanded(first.elements, first.shape, output.shape)
    case 'Concat': {
      const parts = [first, ...(second === undefined ? [] : [second]), ...more]
      return concatenated(parts, intOf(node, 'axis', 0), output)
    }
  }
  const unary = UNARY[node.op]
  if (unary !== undefined && first.elements instanceof Float32Array) return first.elements.map(unary)
  const binary = BINARY[node.op]
  if (binary === undefined || second === undefined || output.type !== 'float32' || more.length > 0) return null
  if (!(first.elements instanceof Float32Array) || !(second.elements instanceof Float32Array)) return null
  return withBroadcasting(binary, first, second, output.shape)
}
