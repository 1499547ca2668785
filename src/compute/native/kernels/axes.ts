import type { Layout } from '../tensors.ts'

/** For what works in both layouts: TensorFlow.js's axes and what is given for each of them, as they lie in the value. */

/** The axis of the tensor that lies at each place of the value. */
const AXES = [0, 3, 1, 2]
/** The place in the value at which each axis of the tensor lies. */
const PLACES = [0, 2, 3, 1]

/** One thing for each axis of the tensor, in the order of the value's axes. */
export function arranged<T>(perAxis: readonly T[], layout: Layout): T[] {
  if (layout === 'plain') return [...perAxis]
  return AXES.flatMap((axis) => perAxis.slice(axis, axis + 1))
}

/** Where an axis of the tensor (negative ones count from the end) lies in the value. */
export function placeOf(axis: number, rank: number, layout: Layout): number {
  const positive = axis < 0 ? axis + rank : axis
  return layout === 'plain' ? positive : (PLACES[positive] ?? positive)
}
