import { emit, int, int64s, reshape, transpose } from '../graph/build.ts'
import { joined } from '../kernels/movement/concat.ts'
import { padWith } from '../kernels/movement/pad.ts'
import { cut, cutAxis, whole } from '../kernels/slicing.ts'
import { isPointwise, spanOf } from '../kernels/image/geometry.ts'
import type { Value } from '../graph/types.ts'
import type { Geometry } from '../kernels/image/geometry.ts'

/** The gradient of a convolution by its filter by ONNX's own operations: see composite.ts. */
export function filterGradient([x, dy]: readonly Value[], shape: readonly number[], geometry: Geometry): Value {
  if (x === undefined || dy === undefined) throw new Error('It takes x and dy.')
  if (isPointwise(geometry)) return reshape(products(flat(x), flat(dy)), shape)
  return geometry.strides.every((stride) => stride === 1)
    ? byShifts(x, dy, shape, geometry)
    : byWindows(x, dy, shape, geometry)
}

/** Copies of x by the filter's columns and copies of dy by its rows: fewer than one of x for each tap. */
function byShifts(x: Value, dy: Value, [, , c = 1, o = 1]: readonly number[], geometry: Geometry): Value {
  const [rows, columns] = geometry.kernel
  const [n = 1, , oh = 1, ow = 1] = dy.shape
  const [down] = spanOf(geometry)
  const high = oh + down - 1
  const padded = padded4(x, geometry)
  const shifts = Array.from({ length: columns }, (_, column) => cutTo(padded, high, column * geometry.dilations[1], ow))
  const across = reshape(joined(shifts, 1, [n, columns * c, high, ow]), [n, columns * c, high * ow])
  const pixels = flat(dy)
  const lowered = Array.from({ length: rows }, (_, row) => {
    const before = row * geometry.dilations[0]
    return padWith(
      pixels,
      [
        [0, 0],
        [0, 0],
        [before * ow, (down - 1 - before) * ow],
      ],
      0,
    )
  })
  const product = products(across, joined(lowered, 1, [n, rows * o, high * ow]))
  return transpose(reshape(product, [columns, c, rows, o]), [2, 0, 1, 3])
}

/** Any stride: the pixels under each tap, as many times over as there are taps. */
function byWindows(x: Value, dy: Value, shape: readonly number[], geometry: Geometry): Value {
  const [rows = 1, columns = 1, c = 1] = shape
  const [n = 1, , oh = 1, ow = 1] = dy.shape
  const padded = padded4(x, geometry)
  const taps = Array.from({ length: rows * columns }, (_, tap) => tapOf(padded, tap, dy.shape, geometry))
  const windows = joined(taps, 1, [n, rows * columns * c, oh, ow])
  return reshape(products(flat(windows), flat(dy)), shape)
}

/** The pixel under a tap for each output: [n, c, oh, ow]. */
export function tapOf(
  padded: Value,
  tap: number,
  [, , oh = 1, ow = 1]: readonly number[],
  { kernel, strides, dilations }: Geometry,
): Value {
  const [n = 1, c = 1] = padded.shape
  const [row, column] = [Math.floor(tap / kernel[1]), tap % kernel[1]]
  return cut(padded, [
    whole(n),
    whole(c),
    { begin: row * dilations[0], size: oh, step: strides[0] },
    { begin: column * dilations[1], size: ow, step: strides[1] },
  ])
}

export function padded4(x: Value, { top, left, bottom, right }: Geometry, filling = 0): Value {
  return padWith(
    x,
    [
      [0, 0],
      [0, 0],
      [top, bottom],
      [left, right],
    ],
    filling,
  )
}

function cutTo(value: Value, rows: number, column: number, columns: number): Value {
  return cutAxis(cutAxis(value, 2, 0, rows), 3, column, columns)
}

function flat(value: Value): Value {
  const [n = 1, c = 1, h = 1, w = 1] = value.shape
  return reshape(value, [n, c, h * w])
}

/** a [n, p, k] and b [n, q, k] -> the sum over n of a times b transposed: [p, q]. */
function products(a: Value, b: Value): Value {
  const [n = 1, p = 1] = a.shape
  const [, q = 1] = b.shape
  const each = emit('MatMul', [a, transpose(b, [0, 2, 1])], [n, p, q])
  if (n === 1) return reshape(each, [p, q])
  return emit('ReduceSum', [each, int64s([0])], [p, q], { attributes: { keepdims: int(0) } })
}
