import { nodeOf, sameShape } from './rule.ts'
import type { Rule } from './rule.ts'
import type { ElementType, GraphNode, Value } from '../types.ts'

/** Types that hold every value of the type; what is cast there and on was not changed in between. */
const WIDER: Readonly<Record<ElementType, readonly ElementType[]>> = {
  bool: ['uint8', 'int32', 'int64', 'float32'],
  uint8: ['int32', 'int64', 'float32'],
  int32: ['int64'],
  int64: [],
  float32: [],
}

/** A node whose output is its input: the input stands for it. */
export const forwardUnchanged: Rule = (node) => {
  const output = node.outputs[0]
  if (output === undefined || node.domain !== '') return null
  const same = unchangedInput(node, output)
  return same !== null && same.type === output.type && sameShape(same.shape, output.shape) ? [same] : null
}

function unchangedInput({ op, inputs }: GraphNode, output: Value): Value | null {
  const [x = null, y = null] = inputs
  if (x === null) return null
  switch (op) {
    case 'Identity':
      return x
    case 'Reshape':
    case 'Squeeze':
    case 'Unsqueeze':
    case 'Expand':
      return x
    case 'Cast':
      return castFrom(x, output)
    case 'Add':
      return isAll(y, 0) ? x : isAll(x, 0) ? y : null
    case 'Sub':
      return isAll(y, 0) ? x : null
    case 'Mul':
      return isAll(y, 1) ? x : isAll(x, 1) ? y : null
    case 'Div':
      return isAll(y, 1) ? x : null
    case 'Sum':
    case 'Concat':
    case 'Max':
    case 'Min':
      return inputs.length === 1 ? x : null
    default:
      return null
  }
}

/** Of a cast there and back, what was before. */
function castFrom(x: Value, output: Value): Value {
  const before = nodeOf(x, 'Cast')?.inputs[0]
  return before?.type === output.type && WIDER[before.type].includes(x.type) ? before : x
}

/** Whether it is a constant whose elements all are this number. */
export function isAll(value: Value | null, wanted: number): boolean {
  if (value?.source.kind !== 'constant') return false
  const { elements } = value.source
  if (elements.length === 0) return false
  for (const element of elements) if (Number(element) !== wanted) return false
  return true
}
