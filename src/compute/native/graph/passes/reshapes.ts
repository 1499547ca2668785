import { int, int64s, emit } from '../build.ts'
import { sizeOf } from '../types.ts'
import { integersOf, isConstant, nodeOf } from './rule.ts'
import type { Rule } from './rule.ts'
import type { GraphNode, Value } from '../types.ts'

/**
 * A Reshape of a Reshape, Squeeze, Unsqueeze or Flatten is one Reshape of what was before, unless it copies an extent (0)
 * that only the one in between has.
 */
export const simplifyReshape: Rule = (node) => {
  const [output] = node.outputs
  if (output === undefined || node.op !== 'Reshape' || node.domain !== '') return null
  const [x = null, shape] = node.inputs
  const before = arrangedBy(x)
  const target = integersOf(shape)
  const source = before?.inputs[0]
  if (before === null || target === null || source === undefined || source === null) return null
  // Of no elements at all, a 0 stands for itself.
  if (sizeOf(output.shape) === 0) {
    return [emit('Reshape', [source, int64s(output.shape)], output.shape, { attributes: { allowzero: int(1) } })]
  }
  const inner = before.op === 'Reshape' ? integersOf(before.inputs[1]) : null
  const resolved = target.map((extent, axis) => (extent === 0 ? copied(inner, axis) : extent))
  if (resolved.includes(null)) return null
  const extents = resolved.filter((extent) => extent !== null)
  return [emit('Reshape', [source, int64s(extents)], output.shape)]
}

function arrangedBy(value: Value | null): GraphNode | null {
  const ops = ['Reshape', 'Squeeze', 'Unsqueeze', 'Flatten']
  const node = ops.map((op) => nodeOf(value, op)).find((found) => found !== null) ?? null
  return node?.op === 'Reshape' && !isConstant(node.inputs[1]) ? null : node
}

/** What a 0 there stands for where the shape in between is not made any more; null where that cannot be said. */
function copied(inner: readonly number[] | null, axis: number): number | null {
  const extent = inner?.[axis]
  return extent === undefined || extent < 0 ? null : extent
}
