import { emit, int } from '../graph/build.ts'
import { ELEMENT_TYPES } from '../onnx/encode.ts'
import type { ElementType, Value } from '../graph/types.ts'

/** The value in another element type; itself where it is of that type. Fractions are cut off, and what is not 0 is true. */
export function convert(value: Value, type: ElementType): Value {
  if (value.type === type) return value
  return emit('Cast', [value], value.shape, { type, attributes: { to: int(ELEMENT_TYPES[type]) } })
}

/** As a type that ONNX Runtime calculates in: truth values become 0 and 1. */
export function asNumbers(value: Value): Value {
  return value.type === 'bool' ? convert(value, 'int32') : value
}
