import { sizeOf } from '../types.ts'
import type { Elements, ElementType } from '../types.ts'

/** What operations of ONNX compute, for constants. Results are rounded to float32 as ONNX Runtime rounds them. */

export const UNARY: Readonly<Record<string, (x: number) => number>> = {
  Neg: (x) => -x,
  Abs: Math.abs,
  Sqrt: Math.sqrt,
  Reciprocal: (x) => 1 / x,
}

export const BINARY: Readonly<Record<string, (a: number, b: number) => number>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
}

interface Operand {
  readonly elements: Elements
  readonly shape: readonly number[]
}

export function withBroadcasting(
  work: (a: number, b: number) => number,
  a: Operand,
  b: Operand,
  shape: readonly number[],
): Float32Array {
  const left = expanded(a.elements, a.shape, shape)
  const right = expanded(b.elements, b.shape, shape)
  return Float32Array.from({ length: sizeOf(shape) }, (_, i) => work(Number(left[i]), Number(right[i])))
}

/** Elements of `source` broadcast to the shape, itself where that is its own. */
export function expanded(source: Elements, from: readonly number[], shape: readonly number[]): Elements {
  if (source.length === sizeOf(shape)) return source
  const steps = stridesOf(from)
  const missing = shape.length - from.length
  return gathered(
    source,
    shape,
    shape.map((_, axis) => (axis < missing || from[axis - missing] === 1 ? 0 : (steps[axis - missing] ?? 0))),
  )
}

/** Axis i of the result is axis perm[i] of the source. */
export function transposed(source: Elements, from: readonly number[], perm: readonly number[]): Elements {
  const steps = stridesOf(from)
  return gathered(
    source,
    perm.map((axis) => from[axis] ?? 1),
    perm.map((axis) => steps[axis] ?? 0),
  )
}

export function concatenated(parts: readonly Operand[], axis: number, output: { shape: readonly number[] }): Elements {
  const { shape } = output
  const from = axis < 0 ? axis + shape.length : axis
  const rows = sizeOf(shape.slice(0, from))
  const result = emptyLike(parts[0]?.elements ?? new Float32Array(), sizeOf(shape))
  const widths = parts.map(({ elements }) => elements.length / rows)
  const whole = widths.reduce((sum, width) => sum + width, 0)
  let offset = 0
  parts.forEach(({ elements }, index) => {
    const width = widths[index] ?? 0
    for (let row = 0; row < rows; row++) {
      for (let i = 0; i < width; i++) copyOne(elements, row * width + i, result, row * whole + offset + i)
    }
    offset += width
  })
  return result
}

export function castElements(source: Elements, type: ElementType): Elements | null {
  switch (type) {
    case 'float32':
      return Float32Array.from(numbers(source))
    case 'int32':
      return source instanceof Float32Array ? truncated(source) : Int32Array.from(numbers(source))
    case 'int64':
      return source instanceof Float32Array ? null : BigInt64Array.from(numbers(source), BigInt)
    case 'bool':
      return Uint8Array.from(numbers(source), (value) => (value === 0 ? 0 : 1))
    case 'uint8':
      return null
  }
}

/** Casting what does not fit, or is no number, is left to the session: it differs between machines. */
function truncated(source: Float32Array): Int32Array | null {
  return source.every((value) => Math.abs(value) < 2 ** 31) ? Int32Array.from(source) : null
}

function numbers(elements: Elements): ArrayLike<number> {
  return elements instanceof BigInt64Array ? Array.from(elements, Number) : elements
}

function stridesOf(shape: readonly number[]): number[] {
  const strides = Array<number>(shape.length).fill(1)
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = (strides[axis + 1] ?? 1) * (shape[axis + 1] ?? 1)
  return strides
}

/** The elements at the places that these steps along the axes of `shape` lead to, in row-major order. */
function gathered(source: Elements, shape: readonly number[], steps: readonly number[]): Elements {
  const result = emptyLike(source, sizeOf(shape))
  const inner = shape.at(-1) ?? 1
  const step = steps.at(-1) ?? 0
  const counters = Array<number>(Math.max(0, shape.length - 1)).fill(0)
  let from = 0
  for (let to = 0; to < result.length; to += inner) {
    for (let i = 0; i < inner; i++) copyOne(source, from + i * step, result, to + i)
    for (let axis = counters.length - 1; axis >= 0; axis--) {
      const count = (counters[axis] ?? 0) + 1
      from += steps[axis] ?? 0
      if (count < (shape[axis] ?? 1)) {
        counters[axis] = count
        break
      }
      from -= count * (steps[axis] ?? 0)
      counters[axis] = 0
    }
  }
  return result
}

function copyOne(source: Elements, from: number, target: Elements, to: number): void {
  if (target instanceof BigInt64Array) {
    if (source instanceof BigInt64Array) target[to] = source[from] ?? 0n
  } else {
    target[to] = Number(source[from])
  }
}

function emptyLike(source: Elements, length: number): Elements {
  if (source instanceof Float32Array) return new Float32Array(length)
  if (source instanceof Int32Array) return new Int32Array(length)
  return source instanceof Uint8Array ? new Uint8Array(length) : new BigInt64Array(length)
}
