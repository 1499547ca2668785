import { emit, int, int64s, ints } from '../../graph/build.ts'
import type { Value } from '../../graph/types.ts'

/** A sum over axes; the value itself where there are none. */
export function sumOver(x: Value, axes: readonly number[], keep: boolean, shape: readonly number[]): Value {
  if (axes.length === 0) return x
  return emit('ReduceSum', [x, int64s(axes)], shape, { attributes: { keepdims: int(keep ? 1 : 0) } })
}

/** ONNX's other reductions, which have the axes as an attribute: ReduceMean, ReduceMax, ReduceMin, ReduceProd. */
export function reduceOver(
  op: string,
  x: Value,
  axes: readonly number[],
  keep: boolean,
  shape: readonly number[],
): Value {
  if (axes.length === 0) return x
  return emit(op, [x], shape, { attributes: { axes: ints(axes), keepdims: int(keep ? 1 : 0) } })
}
