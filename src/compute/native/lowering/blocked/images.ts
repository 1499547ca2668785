import { constant, emit, int, int64s, ints, reshape } from '../../graph/build.ts'
import { convert } from '../../kernels/conversion.ts'
import { isEqual, multiply, where } from '../../kernels/math.ts'
import { integersOf } from '../../graph/passes/rule.ts'
import { geometryIn } from '../composite.ts'
import { isTiling, placeMarks } from '../maxPoolGradient.ts'
import { asLanes, blockedNode, channelsOf } from './blocks.ts'
import type { Attributes, GraphNode, Value } from '../../graph/types.ts'
import type { Geometry } from '../../kernels/image/geometry.ts'
import type { Forms } from './forms.ts'

/** Pooling, resizing, joining, splitting and summing of blocked images. Each returns whether it took the node. */

export function lowerPooling(node: GraphNode, forms: Forms): boolean {
  const [x = null] = node.inputs
  const [y, ...more] = node.outputs
  if (x === null || y === undefined || more.length > 0 || !forms.isBlocked(x)) return false
  const { ceil_mode: ceil, auto_pad: auto } = node.attributes
  if ((ceil?.kind === 'int' && ceil.value !== 0) || auto !== undefined) return false
  const blocked = forms.blocked(x)
  const attributes = { dilations: ints([1, 1]), ...node.attributes }
  const value = blockedNode(
    node.op,
    [blocked.value],
    [...blocked.value.shape.slice(0, 2), ...y.shape.slice(2)],
    attributes,
  )
  forms.setBlocked(y, { ...blocked, value })
  return true
}

/** Copies of pixels, as up-sampling makes them. */
export function lowerResize(node: GraphNode, forms: Forms): boolean {
  const [x = null, , scales = null] = node.inputs
  const [y] = node.outputs
  if (x === null || y === undefined || !forms.isBlocked(x) || scales?.source.kind !== 'constant') return false
  const { mode, coordinate_transformation_mode: coordinates, nearest_mode: nearest } = node.attributes
  const isText = (attribute: Attributes[string] | undefined, wanted: string) =>
    attribute?.kind === 'string' && attribute.value === wanted
  if (!isText(mode, 'nearest') || !isText(coordinates, 'asymmetric') || !isText(nearest, 'floor')) return false
  const factors = Array.from(scales.source.elements, Number)
  if (!factors.every(Number.isInteger)) return false
  const blocked = forms.blocked(x)
  forms.setBlocked(y, { ...blocked, value: repeated(blocked.value, factors) })
  return true
}

export function lowerMaxPoolGradient(node: GraphNode, forms: Forms): boolean {
  const [x = null, y = null, dy = null] = node.inputs
  const [dx] = node.outputs
  if (x === null || y === null || dy === null || dx === undefined || !forms.isBlocked(x)) return false
  const geometry = geometryIn(node)
  const [rows, columns] = geometry.kernel
  const [, , h = 1, w = 1] = x.shape
  const [, , oh = 1, ow = 1] = dy.shape
  if (!isTiling(geometry) || oh * rows !== h || ow * columns !== w) return false
  const image = forms.blocked(x)
  const [most, gradient] = [forms.folded(y, image.fold), forms.folded(dy, image.fold)]
  const value = ofWinners(image.value, most.value, gradient.value, geometry, forms.block)
  forms.setBlocked(dx, { ...image, value, spare: gradient.spare })
  return true
}

/** As in maxPoolGradient.ts, by marks. */
function ofWinners(x: Value, y: Value, dy: Value, geometry: Geometry, block: number): Value {
  const [rows, columns] = geometry.kernel
  const [n = 1, whole = 1, h = 1, w = 1] = x.shape
  const factors = [1, 1, rows, columns]
  const isMaximum = convert(isEqual(x, repeated(y, factors)), 'float32')
  const places = placeMarks(rows, columns, h / rows, w / columns)
  const flat = reshape(isMaximum, [(n * whole) / block, h * w * block])
  const marks = reshape(multiply(flat, inLanes(places, block)), x.shape)
  const highest = blockedNode('MaxPool', [marks], y.shape, {
    ...{ kernel_shape: ints([rows, columns]), strides: ints([rows, columns]) },
    ...{ pads: ints([0, 0, 0, 0]), dilations: ints([1, 1]) },
  })
  return where(isEqual(marks, repeated(highest, factors)), repeated(dy, factors), 0)
}

/** The same number in all lanes of a pixel: [1, pixels * B]. */
function inLanes(pixels: Value, block: number): Value {
  if (pixels.source.kind !== 'constant') throw new Error('Marks are constants.')
  const { elements } = pixels.source
  const lanes = Float32Array.from({ length: elements.length * block }, (_, i) =>
    Number(elements[Math.floor(i / block)]),
  )
  return constant(lanes, [1, lanes.length], 'float32')
}

function repeated(value: Value, factors: readonly number[]): Value {
  const shape = value.shape.map((extent, axis) => extent * (factors[axis] ?? 1))
  return blockedNode('Upsample', [value], shape, { scales: ints(factors), mode: { kind: 'string', value: 'nearest' } })
}

/** A join along the channels is put off: convolutions take its parts one by one. */
export function lowerConcat(node: GraphNode, forms: Forms): boolean {
  const parts = node.inputs.flatMap((input) => (input === null ? [] : [input]))
  const [y] = node.outputs
  const { axis } = node.attributes
  if (y === undefined || axis?.kind !== 'int' || axis.value !== 1 || y.shape.length !== 4) return false
  if (y.type !== 'float32' || !parts.some((part) => forms.isBlocked(part))) return false
  forms.setParts(y, parts)
  return true
}

/** Of a gradient by joined channels, each part is computed alone; blocks are split between one another. */
export function lowerSplit(node: GraphNode, forms: Forms): boolean {
  const [x = null, sizes = null] = node.inputs
  const { axis } = node.attributes
  const counts = integersOf(sizes)
  if (x === null || counts === null || axis?.kind !== 'int' || axis.value !== 1 || x.shape.length !== 4) return false
  const part = forms.pendingOf(x)?.part ?? null
  if (part === null || forms.uses(x) !== 1) return false
  let from = 0
  node.outputs.forEach((output, index) => {
    const [start, size] = [from, counts[index] ?? 0]
    from += size
    forms.setPending(output, { make: () => part(start, size), takesRelu: false, part: null })
  })
  return true
}

/** Sums and means over pixels, of each image or of all. */
export function lowerReduction(node: GraphNode, forms: Forms): boolean {
  const [x = null, given = null] = node.inputs
  const [y] = node.outputs
  if (x === null || y === undefined || x.shape.length !== 4 || !forms.isBlocked(x)) return false
  const { axes: listed } = node.attributes
  const axes = (integersOf(given) ?? (listed?.kind === 'ints' ? [...listed.value] : [])).map((axis) => (axis + 4) % 4)
  const over = axes.toSorted().join()
  if (over !== '2,3' && over !== '0,2,3') return false
  const { value, channels, fold } = forms.blocked(x)
  const byImage = channelsOf(reduced(node.op, asLanes(value, forms.block), 2), channels, fold)
  forms.setPlain(y, reshape(over === '2,3' ? byImage : reduced(node.op, byImage, 0), y.shape))
  return true
}

function reduced(op: string, value: Value, axis: number): Value {
  const shape = value.shape.with(axis, 1)
  if (op === 'ReduceSum') return emit(op, [value, int64s([axis])], shape, { attributes: { keepdims: int(1) } })
  return emit(op, [value], shape, { attributes: { axes: ints([axis]), keepdims: int(1) } })
}
