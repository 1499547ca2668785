import * as tf from '@tensorflow/tfjs-core'
import { emit, int, int64s, text } from '../../graph/build.ts'
import { sizeOf } from '../../graph/types.ts'
import { convert } from '../conversion.ts'
import { uniform } from '../filling.ts'
import { multiply } from '../math.ts'
import { regrouped } from '../reshaping.ts'
import type { Value } from '../../graph/types.ts'

/** Where updates of a tensor go: `rows` slices of `size` elements, of which each index names one. */
export interface Scattered {
  readonly rows: number
  readonly size: number
  /** [updates], int64: the row of each. */
  readonly places: Value
}

/** Of indices [..., rank] into the first `rank` axes of `shape`; `updates` has a slice for each, or is one element. */
export function scattered(updates: tf.TensorInfo, indices: tf.TensorInfo, index: Value, shape: number[]): Scattered {
  const { sliceRank, numUpdates, sliceSize, strides } = tf.backend_util.calculateShapes(updates, indices, shape)
  const rows = sliceSize === 0 ? 0 : sizeOf(shape) / sliceSize
  const each = regrouped(convert(index, 'int64'), [numUpdates, sliceRank])
  return { rows, size: sliceSize, places: rowsOf(each, strides.slice(0, sliceRank)) }
}

/** [count, rank] -> [count]: sums of indices by the strides of their axes. */
function rowsOf(indices: Value, strides: readonly number[]): Value {
  const count = indices.shape[0] ?? 0
  if (strides.length === 1 && strides[0] === 1) return regrouped(indices, [count])
  return emit('ReduceSum', [multiply(indices, int64s(strides)), int64s([1])], [count], {
    attributes: { keepdims: int(0) },
  })
}

/**
 * `base` with the updates at their rows, one after the other, so that it is the same each time: added to what is there, or
 * in its place, the last one where several go to one row. ScatterND would do them at once, in no order.
 */
export function scatter(base: Value, updates: Value, { rows, size, places }: Scattered, sum: boolean): Value {
  const count = places.shape[0] ?? 0
  if (rows * size * count === 0) return base
  const table = regrouped(base, [rows, size])
  const spread = updates.shape.length === 0 ? expanded(updates, [count, size]) : regrouped(updates, [count, size])
  const result = emit(
    'ScatterElements',
    [table, expanded(regrouped(places, [count, 1]), [count, size]), spread],
    [rows, size],
    { attributes: { axis: int(0), ...(sum ? { reduction: text('add') } : {}) } },
  )
  return regrouped(result, base.shape)
}

export function zeros(shape: readonly number[], updates: Value): Value {
  return uniform(0, shape, updates.type)
}

function expanded(value: Value, shape: readonly number[]): Value {
  if (value.shape.join() === shape.join()) return value
  return emit('Expand', [value, int64s(shape)], shape)
}
