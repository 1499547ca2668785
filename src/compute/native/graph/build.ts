import { sizeOf } from './types.ts'
import type { Attribute, Attributes, Domain, Elements, ElementType, GraphNode, Value } from './types.ts'

/** Makes the nodes and constants of a graph. Shapes are the caller's to know: nothing is inferred. */

export const int = (value: number): Attribute => ({ kind: 'int', value })
export const float = (value: number): Attribute => ({ kind: 'float', value })
export const text = (value: string): Attribute => ({ kind: 'string', value })
export const ints = (value: readonly number[]): Attribute => ({ kind: 'ints', value })

export interface Emission {
  readonly attributes?: Attributes
  /** ONNX's own unless given. */
  readonly domain?: Domain
  /** As the first input's unless given. */
  readonly type?: ElementType
}

/** One node with one output of this shape. */
export function emit(
  op: string,
  inputs: readonly (Value | null)[],
  shape: readonly number[],
  emission: Emission = {},
): Value {
  const type = emission.type ?? inputs[0]?.type
  if (type === undefined) throw new Error(`The element type of ${op} is not known.`)
  const [value] = emitSeveral(op, inputs, [{ shape, type }], emission)
  if (value === undefined) throw new Error('One output was asked for.')
  return value
}

/** One node with several outputs. */
export function emitSeveral(
  op: string,
  inputs: readonly (Value | null)[],
  outputs: readonly { readonly shape: readonly number[]; readonly type: ElementType }[],
  { attributes = {}, domain = '' }: Emission = {},
): Value[] {
  const values: Value[] = outputs.map(({ shape, type }) => ({ shape, type, source: { kind: 'input', held: null } }))
  const node: GraphNode = { op, domain, inputs, attributes, outputs: values }
  values.forEach((value, index) => {
    value.source = { kind: 'node', node, index }
  })
  return values
}

/** A value that is part of the graph. */
export function constant(elements: Elements, shape: readonly number[], type: ElementType): Value {
  if (elements.length !== sizeOf(shape))
    throw new Error(`${elements.length} elements do not fill ${shape.join(' x ')}.`)
  return { shape, type, source: { kind: 'constant', elements } }
}

/** Integers as ONNX wants shapes, axes and the like: one dimension of int64. */
export function int64s(values: readonly number[]): Value {
  return constant(
    BigInt64Array.from(values, (value) => BigInt(value)),
    [values.length],
    'int64',
  )
}

/** A scalar. */
export function scalar(value: number, type: 'float32' | 'int32' = 'float32'): Value {
  return constant(type === 'float32' ? Float32Array.of(value) : Int32Array.of(value), [], type)
}

export function transpose(value: Value, order: readonly number[]): Value {
  const shape = order.map((axis) => value.shape[axis] ?? 1)
  return emit('Transpose', [value], shape, { attributes: { perm: ints(order) } })
}

export function reshape(value: Value, shape: readonly number[]): Value {
  return emit('Reshape', [value, int64s(shape)], shape)
}
