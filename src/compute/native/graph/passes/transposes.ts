import { emit, int64s, transpose } from '../build.ts'
import { sizeOf } from '../types.ts'
import { nodeOf, permOf } from './rule.ts'
import type { Rule } from './rule.ts'
import type { Value } from '../types.ts'

/**
 * A Transpose of a Transpose is one, or none. One that moves axes of one element alone (of a channel's statistics, mostly)
 * is a Reshape.
 */
export const simplifyTranspose: Rule = (node) => {
  const [x = null] = node.inputs
  if (node.op !== 'Transpose' || node.domain !== '' || x === null) return null
  const perm = permOf(node)
  if (perm.every((axis, place) => axis === place)) return [x]
  const before = nodeOf(x, 'Transpose')
  const source = before?.inputs[0]
  if (before === null || source === undefined || source === null) {
    const rearranged = asReshape(x, perm)
    return rearranged === null ? null : [rearranged]
  }
  const earlier = permOf(before)
  const both = perm.map((axis) => earlier[axis] ?? axis)
  return [both.every((axis, place) => axis === place) ? source : transpose(source, both)]
}

/** A transposition as a Reshape; null where the order of elements changes, or the shape would have to name extents that may differ from run to run. */
export function asReshape(x: Value, perm: readonly number[]): Value | null {
  const moved = perm.filter((axis, place) => x.shape[axis] !== 1 && (axis > 0 || place > 0))
  if (moved.length > 1 || perm[0] !== 0 || sizeOf(x.shape) === 0) return null
  const target = perm.map((axis, place) => (place === 0 ? 0 : moved.includes(axis) ? -1 : 1))
  const shape = perm.map((axis) => x.shape[axis] ?? 1)
  return emit('Reshape', [x, int64s(target)], shape)
}
