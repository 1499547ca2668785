import { emit, emitSeveral, int, int64s, ints, reshape, transpose } from '../../graph/build.ts'
import { padWith } from '../../kernels/movement/pad.ts'
import { cutAxis } from '../../kernels/slicing.ts'
import { isPointwise, spanOf } from '../../kernels/image/geometry.ts'
import { backwards } from '../inputGradient.ts'
import { asLanes, blockedNode, intoBlocks, wholeBlocks } from './blocks.ts'
import type { Value } from '../../graph/types.ts'
import type { Geometry } from '../../kernels/image/geometry.ts'
import type { Blocked } from './blocks.ts'

/** An image in whichever layout it is there: blocked, or [n, c, h, w] as it is. */
export type Image = { readonly blocked: Blocked } | { readonly plain: Value }

/** Longer sums in one go lose digits: images are cut into strips of about so many pixels. */
const STRIP_PIXELS = 2 ** 15

/**
 * The gradient of a convolution by its filter [rows, columns, c, o] as one blocked convolution whose kernel is as large as the
 * image: the sum over all pixels of x, shifted, times dy. One of both is the image, its channels taken for a batch and its
 * batch for channels; the other is the filter, whose channels fill the lanes.
 */
export function blockedFilterGradient(
  x: Image,
  dy: Image,
  { xInLanes, ...geometry }: Geometry & { readonly xInLanes: boolean },
  block: number,
): Value {
  if (isPointwise(geometry)) return pointwise(x, dy, block)
  const [n = 1] = shapeIn(x)
  // As many images as a block has lanes would be taken for a blocked value.
  const most = block - 1
  let sum: Value | null = null
  for (let first = 0; first < n; first += most) {
    const size = Math.min(most, n - first)
    const [some, gradients] = [someOf(x, first, size, n), someOf(dy, first, size, n)]
    sum = xInLanes
      ? lanesOfInput(some, gradients, geometry, block, sum)
      : lanesOfOutput(some, gradients, geometry, block, sum)
  }
  if (sum === null) throw new Error('There is no image.')
  const taps = geometry.kernel[0] * geometry.kernel[1]
  const shape = [...geometry.kernel, channelsIn(x), channelsIn(dy)]
  return reshape(
    xInLanes ? fromLanesOfInput(sum, shape, taps, block) : fromLanesOfOutput(sum, shape, taps, block),
    shape,
  )
}

/** dy as the filter: [c, O, rows, columns] blocked. */
function lanesOfOutput(x: Image, dy: Image, geometry: Geometry, block: number, before: Value | null): Value {
  const [, , oh = 1, ow = 1] = shapeIn(dy)
  const [, , h = 1, w = 1] = shapeIn(x)
  const { kernel, strides, dilations, top, left } = geometry
  const high = (oh - 1) * strides[0] + (kernel[0] - 1) * dilations[0] + 1
  const wide = (ow - 1) * strides[1] + (kernel[1] - 1) * dilations[1] + 1
  const image = asBatch(x, [top, high - h - top], [left, wide - w - left], block)
  return inStrips(image, asFilter(dy, block), geometry, before)
}

/** x as the filter, for strides of one: [o, C, rows, columns] blocked, the taps backwards. */
function lanesOfInput(x: Image, dy: Image, geometry: Geometry, block: number, before: Value | null): Value {
  const [, , oh = 1, ow = 1] = shapeIn(dy)
  const [, , h = 1, w = 1] = shapeIn(x)
  const [down, across] = spanOf(geometry)
  const [top, left] = [down - 1 - geometry.top, across - 1 - geometry.left]
  const image = asBatch(dy, [top, h + down - 1 - oh - top], [left, w + across - 1 - ow - left], block)
  return inStrips(image, asFilter(x, block), geometry, before)
}

/** Both halves of a strided, dilated convolution change roles: the filter's taps lie apart by the strides, and so on. */
function inStrips(image: Value, filter: Value, { kernel, strides, dilations }: Geometry, before: Value | null): Value {
  const [channels = 1] = image.shape
  const [whole = 1, n = 1, h = 1, w = 1] = filter.shape
  const block = filter.shape[4] ?? 1
  const shape = [channels, whole * block, ...kernel]
  const rows = Math.max(1, Math.min(h, Math.floor(STRIP_PIXELS / w)))
  const flat = reshape(filter, [whole, n, h, w * block])
  let sum = before
  for (let first = 0; first < h; first += rows) {
    const size = Math.min(rows, h - first)
    const high = (size - 1) * strides[0] + (kernel[0] - 1) * dilations[0] + 1
    const inputs = [
      cutAxis(image, 2, first * strides[0], high),
      reshape(cutAxis(flat, 2, first, size), [whole * block, n, size, w]),
      ...(sum === null ? [] : [null, sum]),
    ]
    sum = blockedNode('Conv', inputs, shape, {
      ...{ kernel_shape: ints([size, w]), strides: ints(dilations), dilations: ints(strides) },
      ...{ pads: ints([0, 0, 0, 0]), group: int(1) },
    })
  }
  if (sum === null) throw new Error('There is no pixel.')
  return sum
}

/** [c, n, h, w] with these margins around each image, not blocked: channels as a batch. */
function asBatch(
  image: Image,
  rows: readonly [number, number],
  columns: readonly [number, number],
  block: number,
): Value {
  const [n = 1, c = 1, h = 1, w = 1] = shapeIn(image)
  const [high, wide] = [h + rows[0] + rows[1], w + columns[0] + columns[1]]
  if ('plain' in image) {
    const padded = padWith(image.plain, [[0, 0], [0, 0], rows, columns], 0)
    return n === 1 || c === 1 ? reshape(padded, [c, n, high, wide]) : transpose(padded, [1, 0, 2, 3])
  }
  const { value } = image.blocked
  const blocks = (value.shape[1] ?? 1) / block
  const margins: [number, number] = [columns[0] * block, columns[1] * block]
  const padded = padWith(reshape(value, [n, blocks, h, w * block]), [[0, 0], [0, 0], rows, margins], 0)
  const ordered = n === 1 || blocks === 1 ? padded : transpose(padded, [1, 0, 2, 3])
  // All images of a block of channels as one tall image: taking it out of its block puts the channels before the batch.
  const tall = reshape(ordered, [blocks, block, n * high, wide])
  const channels = blocks === 1 ? c : block
  const out = blockedNode('ReorderOutput', [tall], [blocks, channels, n * high, wide], { channels: int(channels) })
  return cutAxis(reshape(out, [blocks * channels, n, high, wide]), 0, 0, c)
}

/** [C / B, n, h, w, B]: a filter of n channels in and C out. */
function asFilter(image: Image, block: number): Value {
  const { value } = 'blocked' in image ? image.blocked : intoBlocks(image.plain, block, 1)
  const [n = 1, whole = 1, h = 1, w = 1] = value.shape
  const blocks = whole / block
  if (n === 1 || blocks === 1) return reshape(value, [blocks, n, h, w, block])
  return reshape(transpose(reshape(value, [n, blocks, h * w * block]), [1, 0, 2]), [blocks, n, h, w, block])
}

function fromLanesOfOutput(sum: Value, shape: readonly number[], taps: number, block: number): Value {
  const [, , c = 1, o = 1] = shape
  const whole = wholeBlocks(o, block)
  const ordered = transpose(reshape(sum, [c, whole / block, taps, block]), [2, 0, 1, 3])
  return cutAxis(reshape(ordered, [taps, c, whole]), 2, 0, o)
}

function fromLanesOfInput(sum: Value, shape: readonly number[], taps: number, block: number): Value {
  const [, , c = 1, o = 1] = shape
  const whole = wholeBlocks(c, block)
  // Transposed in two steps, which move more at a time than one.
  const lanes = reshape(transpose(reshape(sum, [o, whole * taps]), [1, 0]), [whole / block, taps, block * o])
  const ordered =
    whole === block ? reshape(lanes, [taps, block, o]) : reshape(transpose(lanes, [1, 0, 2]), [taps, whole, o])
  return cutAxis(backwards(ordered), 1, 0, c)
}

/** Of windows of one pixel: products of lanes by lanes. */
function pointwise(x: Image, dy: Image, block: number): Value {
  const [c, o] = [channelsIn(x), channelsIn(dy)]
  const [left, right] = [lanesIn(x, block), lanesIn(dy, block)]
  const [n = 1, p = 1, pixels = 1, lanes = 1] = left.shape
  const [, q = 1, , others = 1] = right.shape
  const [product] = emitSeveral(
    'FusedMatMul',
    [reshape(left, [n, p, 1, pixels, lanes]), reshape(right, [n, 1, q, pixels, others])],
    [{ shape: [n, p, q, lanes, others], type: 'float32' }],
    { domain: 'com.microsoft', attributes: { transA: int(1) } },
  )
  if (product === undefined) throw new Error('One output was asked for.')
  const sum =
    n === 1
      ? reshape(product, [p, q, lanes, others])
      : emit('ReduceSum', [product, int64s([0])], [p, q, lanes, others], { attributes: { keepdims: int(0) } })
  const ordered = q === 1 || lanes === 1 ? sum : transpose(sum, [0, 2, 1, 3])
  return reshape(cutAxis(cutAxis(reshape(ordered, [p * lanes, q * others]), 0, 0, c), 1, 0, o), [1, 1, c, o])
}

/** [n, blocks, pixels, lanes]; of an image that is not blocked, channels are the lanes. */
function lanesIn(image: Image, block: number): Value {
  if ('blocked' in image) return asLanes(image.blocked.value, block)
  const [n = 1, c = 1, h = 1, w = 1] = image.plain.shape
  const rows = reshape(image.plain, [n, 1, c, h * w])
  return c === 1 ? reshape(rows, [n, 1, h * w, 1]) : transpose(rows, [0, 1, 3, 2])
}

function someOf(image: Image, first: number, size: number, all: number): Image {
  if (size === all) return image
  if ('plain' in image) return { plain: cutAxis(image.plain, 0, first, size) }
  return { blocked: { ...image.blocked, value: cutAxis(image.blocked.value, 0, first, size) } }
}

function shapeIn(image: Image): readonly number[] {
  if ('plain' in image) return image.plain.shape
  const { value, channels, fold } = image.blocked
  const [n = 1, , h = 1, w = 1] = value.shape
  return [n, fold * channels, h, w]
}

function channelsIn(image: Image): number {
  return shapeIn(image)[1] ?? 1
}
