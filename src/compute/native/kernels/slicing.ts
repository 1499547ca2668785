import { emit, int64s } from '../graph/build.ts'
import type { Value } from '../graph/types.ts'

/** What is taken of one axis: `size` elements from `begin`, of which each `step`-th; backwards where it is negative. */
export interface Cut {
  readonly begin: number
  readonly size: number
  readonly step: number
}

/** Beyond every extent; as the end, all that there is. */
const FAR = 2 ** 31 - 1

/** One cut an axis of the value; the value itself where nothing is cut. No extent is written where that can be helped. */
export function cut(value: Value, cuts: readonly Cut[]): Value {
  const axes = cuts.flatMap(({ begin, size, step }, axis) => {
    const extent = value.shape[axis] ?? 1
    return begin === 0 && size === extent && step === 1 ? [] : [{ axis, begin, size, step, extent }]
  })
  if (axes.length === 0) return value
  const shape = cuts.map(({ size }) => size)
  return emit(
    'Slice',
    [
      value,
      int64s(axes.map(({ begin, extent, step }) => (step < 0 && begin === extent - 1 ? -1 : begin))),
      int64s(axes.map(endOf)),
      int64s(axes.map(({ axis }) => axis)),
      int64s(axes.map(({ step }) => step)),
    ],
    shape,
  )
}

/** `size` elements from `begin` of one axis. */
export function cutAxis(value: Value, axis: number, begin: number, size: number): Value {
  return cut(
    value,
    value.shape.map((extent, at) => (at === axis ? { begin, size, step: 1 } : whole(extent))),
  )
}

/** The elements of these axes in the opposite order. */
export function reversed(value: Value, axes: readonly number[]): Value {
  return cut(
    value,
    value.shape.map((extent, axis) =>
      axes.includes(axis) ? { begin: extent - 1, size: extent, step: -1 } : whole(extent),
    ),
  )
}

export function whole(extent: number): Cut {
  return { begin: 0, size: extent, step: 1 }
}

/** Counted from the axis's end where little is left out there: crops of images of any size are the same then. */
function endOf({ begin, size, step, extent }: Cut & { readonly extent: number }): number {
  const end = begin + size * step
  if (size === 0) return begin
  if (step < 0) return end < 0 ? -FAR : end
  if (end >= extent) return FAR
  const left = extent - end
  return left < size ? -left : end
}
