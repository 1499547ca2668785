import { transpose } from '../build.ts'
import { nodeOf, permOf } from './rule.ts'
import type { Rule } from './rule.ts'

/** A Transpose of a Transpose is one, or none. */
export const simplifyTranspose: Rule = (node) => {
  const [x = null] = node.inputs
  if (node.op !== 'Transpose' || node.domain !== '' || x === null) return null
  const perm = permOf(node)
  if (perm.every((axis, place) => axis === place)) return [x]
  const before = nodeOf(x, 'Transpose')
  const source = before?.inputs[0]
  if (before === null || source === undefined || source === null) return null
  const earlier = permOf(before)
  const both = perm.map((axis) => earlier[axis] ?? axis)
  return [both.every((axis, place) => axis === place) ? source : transpose(source, both)]
}
