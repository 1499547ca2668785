import { constant, emit } from '../build.ts'
import { isConstant, nodeOf, sameShape } from './rule.ts'
import type { Rule } from './rule.ts'
import type { Value } from '../types.ts'

const BROADCASTING = new Set([
  ...['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Max', 'Min'],
  ...['Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual', 'And', 'Or', 'Xor', 'Where'],
])

/**
 * Elementwise work with a constant that is the same everywhere, or with what was made larger by Expand: the operation
 * broadcasts it itself, as long as another input has the size of the result.
 */
export const shrinkUniform: Rule = ({ op, domain, inputs, attributes, outputs }) => {
  const [output] = outputs
  if (output === undefined || domain !== '' || !BROADCASTING.has(op)) return null
  const full = inputs.find((input) => input !== null && sameShape(input.shape, output.shape) && smaller(input) === null)
  if (full === undefined) return null
  const fitted = inputs.map((input) => (input === null || input === full ? input : (smaller(input) ?? input)))
  const shrunk = fitted.some((input, index) => input !== inputs[index])
  return shrunk ? [emit(op, fitted, output.shape, { attributes, type: output.type })] : null
}

/** What broadcasts to the value, or null. */
function smaller(value: Value): Value | null {
  if (value.shape.length === 0) return null
  const expanded = nodeOf(value, 'Expand')?.inputs[0]
  if (expanded !== undefined) return expanded
  if (!isConstant(value) || value.source.kind !== 'constant') return null
  const { elements } = value.source
  const [first] = elements
  if (first === undefined) return null
  for (const element of elements) if (!Object.is(element, first)) return null
  return constant(elements.slice(0, 1), [], value.type)
}
