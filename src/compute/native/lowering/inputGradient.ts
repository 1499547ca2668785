import { emit, int64s, ints, reshape, transpose } from '../graph/build.ts'
import { padWith } from '../kernels/movement/pad.ts'
import { spanOf, windowAttributes } from '../kernels/image/geometry.ts'
import type { Value } from '../graph/types.ts'
import type { Geometry } from '../kernels/image/geometry.ts'

/** The gradient of a convolution by its input by ONNX's own operations: see composite.ts. */
export function inputGradient([dy, filter]: readonly Value[], shape: readonly number[], geometry: Geometry): Value {
  if (dy === undefined || filter === undefined) throw new Error('It takes dy and a filter.')
  const oneByOne = geometry.strides.every((stride) => stride === 1)
  return oneByOne ? turned(dy, filter, shape, geometry) : strided(dy, filter, shape, geometry)
}

/** What is to be added around dy (cut off where negative) for a convolution by the turned filter to give the input's size. */
export function marginsOf(dy: Value, [, , h = 1, w = 1]: readonly number[], geometry: Geometry) {
  const [down, across] = spanOf(geometry)
  const [, , oh = 1, ow = 1] = dy.shape
  const [top, left] = [down - 1 - geometry.top, across - 1 - geometry.left]
  return { top, left, bottom: h - oh + down - 1 - top, right: w - ow + across - 1 - left }
}

/** A convolution of dy by the filter turned by 180 degrees, its channels in and out exchanged. */
function turned(dy: Value, filter: Value, shape: readonly number[], geometry: Geometry): Value {
  const { top, left, bottom, right } = marginsOf(dy, shape, geometry)
  const whole = padWith(
    dy,
    [
      [0, 0],
      [0, 0],
      [Math.min(0, top), Math.min(0, bottom)],
      [Math.min(0, left), Math.min(0, right)],
    ],
    0,
  )
  const attributes = windowAttributes({
    ...geometry,
    ...{ top: Math.max(0, top), left: Math.max(0, left), bottom: Math.max(0, bottom), right: Math.max(0, right) },
  })
  return emit('Conv', [whole, turnedFilter(filter)], shape, { attributes })
}

/** [rows, columns, c, o] -> [c, o, rows, columns], rows and columns backwards. */
function turnedFilter(filter: Value): Value {
  const [rows = 1, columns = 1, c = 1, o = 1] = filter.shape
  return reshape(transpose(backwards(reshape(filter, [rows * columns, c, o])), [1, 2, 0]), [c, o, rows, columns])
}

/** Along the first axis. */
export function backwards(value: Value): Value {
  const [count = 1] = value.shape
  if (count === 1) return value
  return emit('Gather', [value, int64s(Array.from({ length: count }, (_, i) => count - 1 - i))], value.shape)
}

function strided(dy: Value, filter: Value, shape: readonly number[], geometry: Geometry): Value {
  const [, , h = 1, w = 1] = shape
  const [, , oh = 1, ow = 1] = dy.shape
  const [down, across] = spanOf(geometry)
  const { strides, dilations, kernel, top, left } = geometry
  // Pixels behind the last window, which no output depends on, come from output_padding.
  const bottom = (oh - 1) * strides[0] + down - top - h
  const right = (ow - 1) * strides[1] + across - left - w
  return emit('ConvTranspose', [dy, transpose(filter, [3, 2, 0, 1])], shape, {
    attributes: {
      ...{ kernel_shape: ints(kernel), strides: ints(strides), dilations: ints(dilations) },
      pads: ints([top, left, Math.max(0, bottom), Math.max(0, right)]),
      output_padding: ints([Math.max(0, -bottom), Math.max(0, -right)]),
    },
  })
}
