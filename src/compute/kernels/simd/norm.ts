import {
  add,
  divideFloat,
  f32,
  FunctionBuilder,
  i32,
  load,
  multiply,
  splat,
  subtract,
  toFloat,
  vAdd,
  vAnd,
  vConstant,
  vDivide,
  vGreater,
  vMax,
  vMultiply,
  vSquareRoot,
  vSubtract,
} from './assembler.ts'
import { quadsOf } from './quads.ts'
import type { I32, Local } from './assembler.ts'

/**
 * instanceNormRelu(x, y, stats, count, pixels, channels, epsilon): the function of that name in instanceNorm.ts for four channels or more; x, y and stats are byte addresses.
 */
export function normFunction(): FunctionBuilder {
  const f = new FunctionBuilder('instanceNormRelu')
  const [x, y, stats] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')]
  const [count, pixels, channels] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')]
  const epsilon = f.parameter('f32')
  const [stride, part] = [f.let(multiply(channels, i32(4))), f.let(splat(divideFloat(f32(1), toFloat(pixels))))]
  const [from, to, mean, scale] = [f.local('i32'), f.local('i32'), f.local('v128'), f.local('v128')]
  const [shift, value] = [f.local('v128'), f.local('v128')]
  forEachImageAndQuad(f, { count, pixels, channels, stride, arrays: [x, y] }, stats, () => {
    f.set(from, x)
    f.set(shift, load(from))
    f.set(mean, vConstant(0))
    f.set(scale, vConstant(0))
    f.repeat(pixels, () => {
      f.set(value, vSubtract(load(from), shift))
      f.set(mean, vAdd(mean, value))
      f.set(scale, vAdd(scale, vMultiply(value, value)))
      f.set(from, add(from, stride))
    })
    f.set(mean, vMultiply(mean, part))
    const variance = vMax(vConstant(0), vSubtract(vMultiply(scale, part), vMultiply(mean, mean)))
    f.set(scale, vDivide(vConstant(1), vSquareRoot(vAdd(variance, splat(epsilon)))))
    f.set(mean, vAdd(mean, shift))
    f.store(stats, mean)
    f.store(add(stats, stride), scale)
    f.set(from, x)
    f.set(to, y)
    f.repeat(pixels, () => {
      f.store(to, vMax(vConstant(0), vMultiply(vSubtract(load(from), mean), scale)))
      f.set(from, add(from, stride))
      f.set(to, add(to, stride))
    })
  })
  return f
}

/** instanceNormReluGradient(x, dy, dx, stats, count, pixels, channels), likewise. */
export function normGradientFunction(): FunctionBuilder {
  const f = new FunctionBuilder('instanceNormReluGradient')
  const [x, dy, dx, stats] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32'), f.parameter('i32')]
  const [count, pixels, channels] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')]
  const [stride, part] = [f.let(multiply(channels, i32(4))), f.let(splat(divideFloat(f32(1), toFloat(pixels))))]
  const [image, above, below] = [f.local('i32'), f.local('i32'), f.local('i32')]
  const [mean, scale, sum, product] = [f.local('v128'), f.local('v128'), f.local('v128'), f.local('v128')]
  const [normal, gradient] = [f.local('v128'), f.local('v128')]
  const next = (...pointers: Local<'i32'>[]) => {
    for (const pointer of pointers) f.set(pointer, add(pointer, stride))
  }
  const readPixel = () => {
    f.set(normal, vMultiply(vSubtract(load(image), mean), scale))
    f.set(gradient, vAnd(load(above), vGreater(normal, vConstant(0))))
  }
  forEachImageAndQuad(f, { count, pixels, channels, stride, arrays: [x, dy, dx] }, stats, () => {
    f.set(mean, load(stats))
    f.set(scale, load(add(stats, stride)))
    f.set(sum, vConstant(0))
    f.set(product, vConstant(0))
    f.set(image, x)
    f.set(above, dy)
    f.repeat(pixels, () => {
      readPixel()
      f.set(sum, vAdd(sum, gradient))
      f.set(product, vAdd(product, vMultiply(gradient, normal)))
      next(image, above)
    })
    f.set(sum, vMultiply(sum, part))
    f.set(product, vMultiply(product, part))
    f.set(image, x)
    f.set(above, dy)
    f.set(below, dx)
    f.repeat(pixels, () => {
      readPixel()
      f.store(below, vMultiply(scale, vSubtract(vSubtract(gradient, sum), vMultiply(normal, product))))
      next(image, above, below)
    })
  })
  return f
}

interface Extent {
  readonly count: I32
  readonly pixels: I32
  readonly channels: I32
  readonly stride: I32
  readonly arrays: readonly Local<'i32'>[]
}

/**
 * Runs the body for each image and four channels, with `arrays` at the image's first pixel and `stats` at its mean for
 * these channels; the scale lies `stride` bytes further.
 */
function forEachImageAndQuad(
  f: FunctionBuilder,
  { count, pixels, channels, stride, arrays }: Extent,
  stats: Local<'i32'>,
  body: () => void,
): void {
  const quads = quadsOf(f, channels)
  const toNextImage = f.let(multiply(subtract(pixels, i32(1)), stride))
  f.repeat(count, () => {
    quads.forEach([...arrays, stats], body)
    // The quads moved every pointer on by one pixel, and `stats` by the means.
    for (const pointer of arrays) f.set(pointer, add(pointer, toNextImage))
    f.set(stats, add(stats, stride))
  })
}
