import * as tf from '@tensorflow/tfjs-core'
import { emit, scalar } from '../graph/build.ts'
import type { Attributes, ElementType, Value } from '../graph/types.ts'

/** Nodes of elementwise arithmetic, for kernels that are composed of several. Shapes broadcast; a number is a constant. */

type Operand = Value | number

/** ONNX's binary operations with broadcasting; the operands are of one type. */
export function binary(op: string, a: Operand, b: Operand, type?: ElementType): Value {
  const [left, right] = [operand(a, b), operand(b, a)]
  const shape = tf.broadcast_util.assertAndGetBroadcastShape([...left.shape], [...right.shape])
  return emit(op, [left, right], shape, type === undefined ? {} : { type })
}

/** ONNX's operations of one operand. */
export function unary(op: string, x: Value, attributes: Attributes = {}): Value {
  return emit(op, [x], x.shape, { attributes })
}

export const add = (a: Operand, b: Operand): Value => binary('Add', a, b)
export const subtract = (a: Operand, b: Operand): Value => binary('Sub', a, b)
export const multiply = (a: Operand, b: Operand): Value => binary('Mul', a, b)
export const divide = (a: Operand, b: Operand): Value => binary('Div', a, b)
export const isLess = (a: Operand, b: Operand): Value => binary('Less', a, b, 'bool')
export const isGreater = (a: Operand, b: Operand): Value => binary('Greater', a, b, 'bool')
export const isEqual = (a: Operand, b: Operand): Value => binary('Equal', a, b, 'bool')

/** Kept between two bounds. */
export function clip(x: Value, least: number, most: number): Value {
  const bounds = [operand(least, x), operand(most, x)]
  return emit('Clip', [x, ...bounds], x.shape)
}

/** `yes` where the condition holds and `no` elsewhere. */
export function where(condition: Value, yes: Operand, no: Operand): Value {
  const [left, right] = [operand(yes, no), operand(no, yes)]
  const shape = [left, right].reduce(
    (all, { shape: each }) => tf.broadcast_util.assertAndGetBroadcastShape(all, [...each]),
    [...condition.shape],
  )
  return emit('Where', [condition, left, right], shape, { type: left.type })
}

/** `x * rsqrt(variance + epsilon)` and the like need it: 1 / sqrt(x). */
export function reciprocalRoot(x: Value): Value {
  return unary('Reciprocal', unary('Sqrt', x))
}

function operand(value: Operand, other: Operand): Value {
  if (typeof value !== 'number') return value
  return scalar(value, typeof other !== 'number' && other.type === 'int32' ? 'int32' : 'float32')
}
