import { constant, emit, int64s } from '../graph/build.ts'
import { sizeOf } from '../graph/types.ts'
import type { Elements, ElementType, Value } from '../graph/types.ts'

/** More than so many equal elements are written as one that is expanded, to keep graphs small. */
const MANY = 64

/** A value all of whose elements are the same. */
export function uniform(value: number, shape: readonly number[], type: ElementType): Value {
  const size = sizeOf(shape)
  if (size <= MANY) return constant(filled(size, value, type), shape, type)
  return emit('Expand', [constant(filled(1, value, type), [], type), int64s(shape)], shape)
}

/** 0, 1 ... count - 1 as int32, along the last of so many axes. */
export function counting(count: number, shape: readonly number[] = [count]): Value {
  return constant(
    Int32Array.from({ length: count }, (_, index) => index),
    shape,
    'int32',
  )
}

/** Elements of this type. */
export function filled(size: number, value: number, type: ElementType): Elements {
  if (type === 'float32') return new Float32Array(size).fill(value)
  if (type === 'int32') return new Int32Array(size).fill(value)
  if (type === 'int64') return new BigInt64Array(size).fill(BigInt(Math.trunc(value)))
  return new Uint8Array(size).fill(type === 'bool' ? Number(value !== 0) : value)
}
