import {
  add,
  divide,
  FunctionBuilder,
  i32,
  minimum,
  multiply,
  quarter,
  splat,
  subtract,
  vAdd,
  vAnd,
  vConstant,
  vGreater,
  vMax,
  vMultiply,
  vSubtract,
} from './assembler.ts'
import { lanesOf } from './lanes.ts'
import type { Access } from './lanes.ts'
import type { F32, I32, Local, V128 } from './assembler.ts'

/**
 * The four passes of the normalizations over [n, pixels, channels] (kernels/normalization.ts), in units of one image and
 * one chunk of its pixels: unit u is chunk u % chunks of image u / chunks, chunks of `chunk` pixels but the last. All take
 * (begin, end, pixels, channels, chunk, ...byte addresses, floor); values not above `floor` are cut off: 0 is ReLU,
 * -Infinity nothing. Any number of channels from 1 on.
 */

const FLOAT = 4
/** Pixels at once, with sums of their own, so that one addition need not wait for the other. */
const AT_ONCE = 4

interface Pass {
  readonly f: FunctionBuilder
  /** Arrays like x: at the first channel done, of the chunk's first pixel. */
  readonly images: readonly Local<'i32'>[]
  /** Arrays by image or unit: at the first channel done of their first row. */
  readonly rows: readonly Local<'i32'>[]
  readonly count: I32
  /** Bytes from pixel to pixel and from row to row. */
  readonly stride: I32
  readonly floor: F32
}

interface Layout {
  /** Arrays of the shape of x. */
  readonly images: number
  /** An array [n, coefficients, channels] that is read. */
  readonly coefficients: number
  /** An array [units, results, channels] that is written. */
  readonly results: number
}

/** Declares the parameters and runs the body for each unit and each four channels, or each single one below four. */
function pass(name: string, layout: Layout, body: (pass: Pass, access: Access) => void): FunctionBuilder {
  const f = new FunctionBuilder(name)
  const [begin, end] = [f.parameter('i32'), f.parameter('i32')]
  const [pixels, channels, chunk] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')]
  const images = Array.from({ length: layout.images }, () => f.parameter('i32'))
  const perRow = [layout.coefficients, layout.results].filter((rows) => rows > 0)
  const rows = perRow.map(() => f.parameter('i32'))
  const floor = f.parameter('f32')
  const stride = f.let(multiply(channels, i32(FLOAT)))
  const chunks = f.let(divide(add(pixels, subtract(chunk, i32(1))), chunk))
  const [unit, image, first, count] = [f.let(begin), f.local('i32'), f.local('i32'), f.local('i32')]
  const lanes = lanesOf(f, channels)
  const atImages = images.map(() => f.local('i32'))
  const atRows = rows.map(() => f.local('i32'))
  f.repeat(subtract(end, begin), () => {
    f.set(image, divide(unit, chunks))
    f.set(first, multiply(subtract(unit, multiply(image, chunks)), chunk))
    f.set(count, minimum(chunk, subtract(pixels, first)))
    const pixel = multiply(add(multiply(image, pixels), first), stride)
    images.forEach((base, i) => {
      setAt(f, atImages, i, add(base, pixel))
    })
    rows.forEach((base, i) => {
      const which = i === 0 && layout.coefficients > 0 ? image : unit
      setAt(f, atRows, i, add(base, multiply(which, multiply(stride, i32(perRow[i] ?? 0)))))
    })
    lanes([...atImages, ...atRows], (access) => {
      body({ f, images: atImages, rows: atRows, count, stride, floor }, access)
    })
    f.set(unit, add(unit, i32(1)))
  })
  return f
}

function setAt(f: FunctionBuilder, locals: readonly Local<'i32'>[], index: number, value: I32): void {
  const local = locals[index]
  if (local !== undefined) f.set(local, value)
}

/** Runs the body for each pixel, with pointers of its own that it finds moved on; `turn` counts 0..AT_ONCE-1. */
function forEachPixel(
  { f, images, count, stride }: Pass,
  body: (pointers: readonly Local<'i32'>[], turn: number) => void,
): void {
  const pointers = images.map((image) => f.let(image))
  const step = (turn: number) => {
    body(pointers, turn)
    for (const pointer of pointers) f.set(pointer, add(pointer, stride))
  }
  f.repeat(quarter(count), () => {
    for (let turn = 0; turn < AT_ONCE; turn++) step(turn)
  })
  f.repeat(subtract(count, multiply(quarter(count), i32(AT_ONCE))), () => step(0))
}

function sums(f: FunctionBuilder): { readonly all: readonly Local<'v128'>[]; readonly total: V128 } {
  const [a, b, c, d] = [f.local('v128'), f.local('v128'), f.local('v128'), f.local('v128')]
  for (const each of [a, b, c, d]) f.set(each, vConstant(0))
  return { all: [a, b, c, d], total: vAdd(vAdd(a, b), vAdd(c, d)) }
}

function addTo(f: FunctionBuilder, all: readonly Local<'v128'>[], turn: number, value: V128): void {
  const local = all[turn]
  if (local !== undefined) f.set(local, vAdd(local, value))
}

/**
 * normalizationSums(begin, end, pixels, channels, chunk, x, sums, floor): for each unit and channel, sums[0] = sum of x - s
 * and sums[1] = sum of (x - s)^2 with s the channel's value in the unit's first pixel: no cancellation where all values are
 * alike. `floor` is not used.
 */
export function normalizationSumsFunction(): FunctionBuilder {
  return pass('normalizationSums', { images: 1, coefficients: 0, results: 2 }, (the, { load, store }) => {
    const { f, images, rows, stride } = the
    const [x, out] = [at(images, 0), at(rows, 0)]
    const [shift, value] = [f.let(load(x)), f.local('v128')]
    const [sum, squares] = [sums(f), sums(f)]
    forEachPixel(the, ([pixel], turn) => {
      if (pixel === undefined) return
      f.set(value, vSubtract(load(pixel), shift))
      addTo(f, sum.all, turn, value)
      addTo(f, squares.all, turn, vMultiply(value, value))
    })
    store(out, sum.total)
    store(add(out, stride), squares.total)
  })
}

/**
 * normalizationApply(begin, end, pixels, channels, chunk, x, y, coefficients, floor): y = max(floor, (x - m) * a + b) with m, a
 * and b the three rows of the image's coefficients.
 */
export function normalizationApplyFunction(): FunctionBuilder {
  return pass('normalizationApply', { images: 2, coefficients: 3, results: 0 }, (the, { load, store }) => {
    const { f, rows, stride, floor } = the
    const { mean, scale, shift } = coefficients(f, at(rows, 0), stride, load)
    const least = f.let(splat(floor))
    forEachPixel(the, ([x, y]) => {
      if (x === undefined || y === undefined) return
      store(y, vMax(least, vAdd(vMultiply(vSubtract(load(x), mean), scale), shift)))
    })
  })
}

/**
 * normalizationGradientSums(begin, end, pixels, channels, chunk, x, dy, coefficients, sums, floor): with m, a and b as above
 * and g = dy where (x - m) * a + b is above floor, else 0: sums[0] = sum of g, sums[1] = sum of g * (x - m) of each unit.
 */
export function normalizationGradientSumsFunction(): FunctionBuilder {
  return pass('normalizationGradientSums', { images: 2, coefficients: 3, results: 2 }, (the, { load, store }) => {
    const { f, rows, stride } = the
    const gradient = gradientReader(the, load)
    const out = at(rows, 1)
    const [sum, products] = [sums(f), sums(f)]
    forEachPixel(the, ([x, dy], turn) => {
      if (x === undefined || dy === undefined) return
      const { g, offset } = gradient(x, dy)
      addTo(f, sum.all, turn, g)
      addTo(f, products.all, turn, vMultiply(g, offset))
    })
    store(out, sum.total)
    store(add(out, stride), products.total)
  })
}

/**
 * normalizationGradientApply(begin, end, pixels, channels, chunk, x, dy, dx, coefficients, floor): dx = g * a + (x - m) * p + q,
 * with m, a, b, p and q the five rows of the image's coefficients and g as above.
 */
export function normalizationGradientApplyFunction(): FunctionBuilder {
  return pass('normalizationGradientApply', { images: 3, coefficients: 5, results: 0 }, (the, { load, store }) => {
    const { f, rows, stride } = the
    const gradient = gradientReader(the, load)
    const row = at(rows, 0)
    const ofOffset = f.let(load(add(row, multiply(stride, i32(3)))))
    const constant = f.let(load(add(row, multiply(stride, i32(4)))))
    forEachPixel(the, ([x, dy, dx]) => {
      if (x === undefined || dy === undefined || dx === undefined) return
      const { g, offset, scale } = gradient(x, dy)
      store(dx, vAdd(vMultiply(g, scale), vAdd(vMultiply(offset, ofOffset), constant)))
    })
  })
}

interface Coefficients {
  readonly mean: V128
  readonly scale: V128
  readonly shift: V128
}

function coefficients(f: FunctionBuilder, row: I32, stride: I32, load: Access['load']): Coefficients {
  return {
    mean: f.let(load(row)),
    scale: f.let(load(add(row, stride))),
    shift: f.let(load(add(row, multiply(stride, i32(2))))),
  }
}

/** Gives, for a pixel, its offset from the mean and the gradient before the cut. */
function gradientReader(
  { f, rows, stride, floor }: Pass,
  load: Access['load'],
): (x: I32, dy: I32) => { g: V128; offset: V128; scale: V128 } {
  const { mean, scale, shift } = coefficients(f, at(rows, 0), stride, load)
  const least = f.let(splat(floor))
  const [offset, g] = [f.local('v128'), f.local('v128')]
  return (x, dy) => {
    f.set(offset, vSubtract(load(x), mean))
    f.set(g, vAnd(load(dy), vGreater(vAdd(vMultiply(offset, scale), shift), least)))
    return { g, offset, scale }
  }
}

function at(locals: readonly Local<'i32'>[], index: number): I32 {
  const local = locals[index]
  if (local === undefined) throw new Error('The pass declares this array.')
  return local
}
