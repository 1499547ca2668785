import { constant, emit, emitSeveral, int, int64s, ints, reshape, text } from '../../graph/build.ts'
import { sizeOf } from '../../graph/types.ts'
import { add, multiply } from '../../kernels/math.ts'
import { rewrite } from '../rewrite.ts'
import { blockedNode } from './blocks.ts'
import { usesOf } from './uses.ts'
import type { Graph, GraphNode, Value } from '../../graph/types.ts'
import type { Uses } from './uses.ts'

/**
 * Blocked images that are scaled and shifted by numbers of their channels, as normalizations do it: x * scale + shift, or of
 * two images x * scale + y * other + shift, with or without ReLU behind. As Mul, Add and Sub these are several passes
 * over memory, each of them slow since ONNX Runtime repeats the numbers block by block; a depthwise convolution of
 * 1 x 1 pixels does the same in one pass an image.
 */

/** A value of this shape lies in memory as [images, blocks, pixels, block]. */
interface Geometry {
  readonly images: number
  readonly blocks: number
  readonly pixels: number
}

interface Term {
  readonly image: Value
  /** One number a channel, [images or 1, blocks, 1, block], or one for all; null for 1. */
  readonly scale: Value | null
}

interface Affine {
  readonly terms: readonly Term[]
  readonly shift: Value | null
  /** null until a number a channel was met. */
  readonly geometry: Geometry | null
}

/** Smaller images are faster as they are: what is done by channel would cost as much as what is done by pixel. */
const FEWEST = 2 ** 14

export function joinAffine(graph: Graph, block: number): Graph {
  const uses = usesOf(graph)
  const forms = new Map<Value, Affine>()
  const formOf = (value: Value): Affine => forms.get(value) ?? alone(value)
  /** What was put off is made now. */
  const settled = (value: Value | null): Value | null => {
    const form = value === null ? null : (forms.get(value) ?? null)
    return form === null ? value : (made(form, block, false, value?.shape ?? []) ?? value)
  }
  return rewrite(graph, (node, inputs) => {
    const [output] = node.outputs
    if (output === undefined) return null
    const small = output.type !== 'float32' || sizeOf(output.shape) < FEWEST
    const form = small ? null : formAfter(node, inputs, block, formOf)
    if (form !== null && node.op !== 'Relu' && isInside(output, uses)) {
      // Part of what is made later; if it is not, it is made as it is.
      const own = repeated(node, inputs)
      if (own[0] !== undefined) forms.set(own[0], form)
      return own
    }
    const joined = form === null ? null : made(form, block, node.op === 'Relu', output.shape)
    if (joined !== null) return [joined]
    return inputs.some((input) => input !== null && forms.has(input)) ? repeated(node, inputs.map(settled)) : null
  })
}

function repeated({ op, domain, attributes, outputs }: GraphNode, inputs: readonly (Value | null)[]): Value[] {
  return emitSeveral(op, inputs, outputs, { domain, attributes })
}

/** Of a node that leaves it as it is, and of one that changes it. */
function formAfter(
  node: GraphNode,
  inputs: readonly (Value | null)[],
  block: number,
  formOf: (value: Value) => Affine,
): Affine | null {
  const [x = null] = inputs
  if (node.op !== 'Reshape' && node.op !== 'Relu') return affineOf(node, inputs, block, formOf)
  const form = x === null ? null : formOf(x)
  return form?.geometry === null ? null : form
}

/** Whether the only thing that reads the value can take it in. */
function isInside(value: Value | null, uses: Uses): boolean {
  const reader = value === null ? null : uses.onlyReader(value)
  if (reader === null) return false
  if (reader.op === 'Reshape') return isInside(reader.outputs[0] ?? null, uses)
  if (reader.op === 'Relu' || reader.op === 'Add' || reader.op === 'Sub') return true
  // A product with another image ends it.
  return (
    reader.op === 'Mul' &&
    reader.inputs.some((input) => input !== null && sizeOf(input.shape) * 2 < sizeOf(reader.outputs[0]?.shape ?? []))
  )
}

function alone(image: Value): Affine {
  return { terms: [{ image, scale: null }], shift: null, geometry: null }
}

/** What the node computes, from what its inputs are; null where that is nothing of this kind. */
function affineOf(
  { op, outputs: [output] }: GraphNode,
  [a = null, b = null]: readonly (Value | null)[],
  block: number,
  formOf: (value: Value) => Affine,
): Affine | null {
  if (a === null || b === null || output === undefined || !['Mul', 'Add', 'Sub'].includes(op)) return null
  const [isFirst, isSecond] = [a, b].map(({ shape }) => shape.join() === output.shape.join())
  if (isFirst === true && isSecond === true) {
    return op === 'Mul' ? null : sum(formOf(a), op === 'Add' ? formOf(b) : scaled(formOf(b), -1))
  }
  const [image, numbers] = isFirst === true ? [a, b] : [b, a]
  if (isFirst !== true && isSecond !== true) return null
  const geometry = geometryOf(image.shape, numbers.shape, block)
  if (geometry === null && sizeOf(numbers.shape) !== 1) return null
  const small = geometry === null ? reshape(numbers, []) : numbers
  const form = withGeometry(formOf(image), geometry) ?? { ...alone(image), geometry }
  if (op === 'Mul') return scaled(form, small)
  if (op === 'Add') return shifted(form, small)
  return image === a ? shifted(form, multiply(small, -1)) : shifted(scaled(form, -1), small)
}

function geometryOf(shape: readonly number[], numbers: readonly number[], block: number): Geometry | null {
  const [images = 0, blocks = 0, pixels = 0, lanes = 0] = shape
  if (shape.length !== 4 || numbers.length !== 4 || lanes !== block || pixels === 1) return null
  const [m, ...rest] = numbers
  return (m === 1 || m === images) && rest.join() === [blocks, 1, block].join() ? { images, blocks, pixels } : null
}

/** null where it is known to lie otherwise. */
function withGeometry(form: Affine, geometry: Geometry | null): Affine | null {
  if (form.geometry === null || geometry === null) return { ...form, geometry: geometry ?? form.geometry }
  const { images, blocks, pixels } = form.geometry
  const same = images === geometry.images && blocks === geometry.blocks && pixels === geometry.pixels
  return same ? form : null
}

function scaled(form: Affine, by: Value | number): Affine {
  const times = (value: Value | null): Value | null => (value === null ? null : multiply(value, by))
  return {
    ...form,
    terms: form.terms.map(({ image, scale }) => ({ image, scale: times(scale) ?? asValue(by) })),
    shift: times(form.shift),
  }
}

function shifted(form: Affine, by: Value): Affine {
  return { ...form, shift: form.shift === null ? by : add(form.shift, by) }
}

/** null where it would be of more than two images, or of images that lie differently. */
function sum(a: Affine, b: Affine): Affine | null {
  const both = withGeometry(a, b.geometry)
  const terms = [...a.terms, ...b.terms]
  if (both === null || terms.length > 2 || terms[0]?.image === terms[1]?.image) return null
  const shift = a.shift === null ? b.shift : b.shift === null ? a.shift : add(a.shift, b.shift)
  return { terms, shift, geometry: both.geometry }
}

function asValue(number: Value | number): Value {
  return typeof number === 'number' ? constant(Float32Array.of(number), [], 'float32') : number
}

/** As convolutions; null where nothing is by channel, so that it is as fast as it is. */
function made(
  { terms, shift, geometry }: Affine,
  block: number,
  relu: boolean,
  shape: readonly number[],
): Value | null {
  if (geometry === null) return null
  const { images, blocks, pixels } = geometry
  const numbers = [...terms.map(({ scale }) => scale), shift]
  const byImage = images > 1 && numbers.some((value) => value?.shape[0] === images)
  const channels = (byImage ? images * blocks : blocks) * block
  const whole = [byImage ? 1 : images, channels, ...sidesOf(pixels, terms)]
  const rows = byImage ? images : 1
  const perChannel = (value: Value | null, otherwise: number): Value => {
    const each = [rows, blocks, 1, block]
    if (value === null) return constant(new Float32Array(channels).fill(otherwise), [channels], 'float32')
    const full = value.shape.join() === each.join() ? value : emit('Expand', [value, int64s(each)], each)
    return reshape(full, [channels])
  }
  // An image that comes as it is needs no convolution of its own.
  const [first, second] = terms.toSorted((a, b) => Number(a.scale !== null) - Number(b.scale !== null))
  if (first === undefined) return null
  const convolved = ({ image, scale }: Term, onto: Value | null, last: boolean): Value =>
    blockedNode(
      'Conv',
      [
        reshape(image, whole),
        reshape(perChannel(scale, 1), [channels, 1, 1, 1]),
        last && shift !== null ? perChannel(shift, 0) : null,
        onto,
      ],
      whole,
      {
        kernel_shape: ints([1, 1]),
        pads: ints([0, 0, 0, 0]),
        strides: ints([1, 1]),
        dilations: ints([1, 1]),
        group: int(channels),
        ...(last && relu ? { activation: text('Relu') } : {}),
      },
    )
  if (second === undefined) return reshape(convolved(first, null, true), shape)
  const start = first.scale === null ? reshape(first.image, whole) : convolved(first, null, false)
  return reshape(convolved(second, start, true), shape)
}

/** Height and width, by which threads share the work; that of the image where it is known. */
function sidesOf(pixels: number, terms: readonly Term[]): [number, number] {
  for (const { image } of terms) {
    const [h = 0, w = 0] = image.shape.slice(-2)
    if (h * w === pixels) return [h, w]
  }
  let height = Math.floor(Math.sqrt(pixels))
  while (pixels % height !== 0) height--
  return [height, pixels / height]
}
