import { emit, int64s } from '../graph/build.ts'
import { sizeOf } from '../graph/types.ts'
import { valueIn } from '../tensors.ts'
import type { Value } from '../graph/types.ts'
import type { Recorded } from '../tensors.ts'

/** The plain value of a tensor of the shape `from` under another shape of as many elements. */
export function reshaped(recorded: Recorded, from: readonly number[], to: readonly number[]): Value {
  // Images of one channel, and those of one pixel, lie the same in both layouts.
  const [, h = 1, w = 1, c = 1] = from
  const turned = recorded.values.channelsFirst
  if (turned !== undefined && (c === 1 || h * w === 1)) return regrouped(turned, to)
  return regrouped(valueIn(recorded, 'plain'), to)
}

/**
 * As few extents as possible are written into the graph, so that it is the same for images of other sizes: leading ones
 * that stay are copied, and the first that does not is what remains.
 */
export function regrouped(value: Value, to: readonly number[]): Value {
  const from = value.shape
  if (from.join() === to.join()) return value
  if (sizeOf(to) === 0)
    return emit('Reshape', [value, int64s(to)], to, { attributes: { allowzero: { kind: 'int', value: 1 } } })
  const leading = to.findIndex((extent, axis) => extent !== from[axis])
  const same = leading < 0 ? to.length : leading
  // Only axes of one element come or go, at places that copying would not do for.
  const units = same === Math.min(from.length, to.length) ? null : unitAxes(from, to)
  if (units !== null) return emit(units.op, [value, int64s(units.axes)], to)
  const written = to.map((extent, axis) => {
    if (axis < same) return 0
    return axis === same && same < from.length ? -1 : extent
  })
  return emit('Reshape', [value, int64s(written)], to)
}

/** Which axes of one element are to be taken out or put in for the one shape to become the other; null where others change. */
function unitAxes(from: readonly number[], to: readonly number[]) {
  if (to.length < from.length) {
    const axes = placesOfUnits(from, to)
    return axes === null ? null : { op: 'Squeeze', axes }
  }
  const axes = placesOfUnits(to, from)
  return axes === null ? null : { op: 'Unsqueeze', axes }
}

/** The places of `longer` without which it is `shorter`; all are of one element. null where there are no such places. */
function placesOfUnits(longer: readonly number[], shorter: readonly number[]): number[] | null {
  const places: number[] = []
  let at = 0
  longer.forEach((extent, place) => {
    if (at < shorter.length && extent === shorter[at]) at++
    else places.push(place)
  })
  return at === shorter.length && places.every((place) => longer[place] === 1) ? places : null
}
