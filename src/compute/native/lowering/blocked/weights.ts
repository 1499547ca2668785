import { emit, int, ints, reshape, transpose } from '../../graph/build.ts'
import { padWith } from '../../kernels/movement/pad.ts'
import { cutAxis } from '../../kernels/slicing.ts'
import { backwards } from '../inputGradient.ts'
import { blockedNode, wholeBlocks } from './blocks.ts'
import type { Value } from '../../graph/types.ts'

/** Filters [rows, columns, c, o] in the order that blocked convolutions take: [O / B, C / B, rows, columns, B in, B out]. */

/** For a blocked input of c channels. */
export function filterFor(filter: Value, block: number): Value {
  const [rows = 1, columns = 1] = filter.shape
  const [c, o, whole] = filled(filter, block)
  const taps = rows * columns
  const byOutput = blockedNode('ReorderInput', [reshape(whole, [1, taps, c, o])], [1, o, taps, c], {
    channels_last: int(1),
  })
  const tiles = reshape(byOutput, [o / block, taps, c / block, block * block])
  return reshape(swapped(tiles), [o, c, rows, columns])
}

/** For an input of few channels that is not blocked: [O / B, c, rows, columns, B out]. */
export function filterForPlain(filter: Value, block: number): Value {
  const [rows = 1, columns = 1, c = 1, o = 1] = filter.shape
  const whole = wholeBlocks(o, block)
  const full = padWith(
    filter,
    [
      [0, 0],
      [0, 0],
      [0, 0],
      [0, whole - o],
    ],
    0,
  )
  const ordered = transpose(reshape(full, [rows * columns, c, whole / block, block]), [2, 1, 0, 3])
  return reshape(ordered, [whole, c, rows, columns])
}

/** For the gradient by the input, from a blocked dy of o channels: turned by 180 degrees, channels in and out exchanged. */
export function turnedFilterFor(filter: Value, block: number): Value {
  const [rows = 1, columns = 1] = filter.shape
  const [c, o, whole] = filled(filter, block)
  const taps = rows * columns
  const byInput = blockedNode('ReorderInput', [reshape(whole, [taps, c, o, 1])], [taps, c, o, 1], {})
  const tiles = reshape(backwards(byInput), [taps, c / block, o / block, block * block])
  return reshape(transpose(tiles, [1, 2, 0, 3]), [c, o, rows, columns])
}

/** The same for a dy of few channels that is not blocked. */
export function turnedFilterForPlain(filter: Value, block: number): Value {
  const [rows = 1, columns = 1, c = 1, o = 1] = filter.shape
  const taps = backwards(reshape(filter, [rows * columns, c, o]))
  const exchanged = reshape(transpose(taps, [0, 2, 1]), [rows, columns, o, c])
  return filterForPlain(exchanged, block)
}

/** The filter for `fold` images that share blocks: each image's channels meet its own alone. [rows, columns, f * c, f * o] */
export function foldedFilter(filter: Value, fold: number): Value {
  if (fold === 1) return filter
  const [rows = 1, columns = 1, c = 1, o = 1] = filter.shape
  const each = Array.from({ length: fold }, (_, i) =>
    padWith(
      filter,
      [
        [0, 0],
        [0, 0],
        [0, 0],
        [i * o, (fold - 1 - i) * o],
      ],
      0,
    ),
  )
  return emit('Concat', each, [rows, columns, fold * c, fold * o], { attributes: { axis: int(2) } })
}

/** Of the gradient by a folded filter, that by the filter: the sum over the images of a block. */
export function unfoldedFilter(gradient: Value, fold: number): Value {
  if (fold === 1) return gradient
  const [rows = 1, columns = 1, wideC = 1, wideO = 1] = gradient.shape
  const [c, o] = [wideC / fold, wideO / fold]
  const own = Array.from({ length: fold }, (_, i) => cutAxis(cutAxis(gradient, 2, i * c, c), 3, i * o, o))
  return emit('Sum', own, [rows, columns, c, o])
}

/** The part of a filter for these input channels. */
export function filterPart(filter: Value, from: number, size: number): Value {
  return cutAxis(filter, 2, from, size)
}

/** With channels in and out filled up to whole blocks. */
function filled(filter: Value, block: number): [c: number, o: number, filter: Value] {
  const [, , c = 1, o = 1] = filter.shape
  const [wholeC, wholeO] = [wholeBlocks(c, block), wholeBlocks(o, block)]
  return [
    wholeC,
    wholeO,
    padWith(
      filter,
      [
        [0, 0],
        [0, 0],
        [0, wholeC - c],
        [0, wholeO - o],
      ],
      0,
    ),
  ]
}

/** Axes 1 and 2 exchanged. */
function swapped(value: Value): Value {
  const [a = 1, b = 1, c = 1, d = 1] = value.shape
  if (b === 1 || c === 1) return reshape(value, [a, c, b, d])
  return emit('Transpose', [value], [a, c, b, d], { attributes: { perm: ints([0, 2, 1, 3]) } })
}
