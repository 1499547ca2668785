import { constant, emit, emitSeveral, float, int, int64s, reshape, text } from '../graph/build.ts'
import { sizeOf } from '../graph/types.ts'
import { convert } from '../kernels/conversion.ts'
import { padWith } from '../kernels/movement/pad.ts'
import { isEqual, multiply, where } from '../kernels/math.ts'
import { isUnpadded, windowAttributes } from '../kernels/image/geometry.ts'
import { cut, whole } from '../kernels/slicing.ts'
import type { Value } from '../graph/types.ts'
import type { Geometry } from '../kernels/image/geometry.ts'

/** The gradient of max pooling by ONNX's own operations: see composite.ts. */
export function maxPoolGradient([x, y, dy]: readonly Value[], shape: readonly number[], geometry: Geometry): Value {
  if (x === undefined || y === undefined || dy === undefined) throw new Error('It takes x, y and dy.')
  return isTiling(geometry) ? byMarks(x, y, dy, geometry) : byIndices(x, dy, shape, geometry)
}

/** Windows lie side by side. */
export function isTiling(geometry: Geometry): boolean {
  const { kernel, strides, dilations } = geometry
  return isUnpadded(geometry) && kernel.join() === strides.join() && dilations.every((each) => each === 1)
}

/**
 * Every pixel that equals its window's maximum is marked by its place in the window, the first highest; where a mark is its
 * window's highest, the pixel wins. Pixels outside all windows get nothing.
 */
function byMarks(x: Value, y: Value, dy: Value, geometry: Geometry): Value {
  const [n = 1, c = 1, h = 1, w = 1] = x.shape
  const [, , oh = 1, ow = 1] = y.shape
  const [rows, columns] = geometry.kernel
  const inside = cut(x, [
    whole(n),
    whole(c),
    { begin: 0, size: oh * rows, step: 1 },
    { begin: 0, size: ow * columns, step: 1 },
  ])
  const spread = (value: Value) => repeated(value, rows, columns)
  const isMaximum = convert(isEqual(inside, spread(y)), 'float32')
  const marks = multiply(isMaximum, placeMarks(rows, columns, oh, ow))
  const highest = emit('MaxPool', [marks], y.shape, { attributes: windowAttributes(geometry) })
  const inner = where(isEqual(marks, spread(highest)), multiply(isMaximum, spread(dy)), 0)
  return padWith(
    inner,
    [
      [0, 0],
      [0, 0],
      [0, h - oh * rows],
      [0, w - ow * columns],
    ],
    0,
  )
}

/** Marks of the pixels by their places in their windows, [h, w]: the higher, the earlier in row order; all above 0. */
export function placeMarks(rows: number, columns: number, oh: number, ow: number): Value {
  const [h, w] = [oh * rows, ow * columns]
  const marks = new Float32Array(h * w)
  for (let i = 0; i < h; i++) {
    for (let j = 0; j < w; j++) marks[i * w + j] = rows * columns - (i % rows) * columns - (j % columns)
  }
  return constant(marks, [h, w], 'float32')
}

/** Each pixel as a block of rows x columns. */
export function repeated(value: Value, rows: number, columns: number): Value {
  const [n = 1, c = 1, h = 1, w = 1] = value.shape
  return emit(
    'Resize',
    [value, null, constant(Float32Array.of(1, 1, rows, columns), [4], 'float32')],
    [n, c, h * rows, w * columns],
    {
      attributes: {
        ...{ mode: text('nearest'), coordinate_transformation_mode: text('asymmetric'), nearest_mode: text('floor') },
        cubic_coeff_a: float(-0.75),
      },
    },
  )
}

/** Any windows: ONNX Runtime names the first maximum of each. */
function byIndices(x: Value, dy: Value, shape: readonly number[], geometry: Geometry): Value {
  const [, places] = emitSeveral(
    'MaxPool',
    [x],
    [
      { shape: dy.shape, type: 'float32' },
      { shape: dy.shape, type: 'int64' },
    ],
    { attributes: windowAttributes(geometry) },
  )
  if (places === undefined) throw new Error('Two outputs were asked for.')
  const zeros = emit('Expand', [constant(Float32Array.of(0), [], 'float32'), int64s([sizeOf(shape)])], [sizeOf(shape)])
  const count = sizeOf(dy.shape)
  const scattered = emit('ScatterElements', [zeros, reshape(places, [count]), reshape(dy, [count])], [sizeOf(shape)], {
    attributes: { axis: int(0), reduction: text('add') },
  })
  return reshape(scattered, shape)
}
