import {
  add,
  FunctionBuilder,
  i32,
  load,
  loadFirst,
  loadLane,
  loadSplat,
  minimum,
  multiply,
  quarter,
  subtract,
  vAdd,
  vAnd,
  vConstant,
  vDivide,
  vEqual,
  vFromIntegers,
  vGreater,
  vMax,
  vMultiply,
  vOr,
  vSubtract,
} from './assembler.ts'
import { exponential, logarithm, scratchFor } from './exponential.ts'
import { QUAD } from './quads.ts'
import type { I32, Local, V128 } from './assembler.ts'

/**
 * The two passes of the loss of segmentation (segmentationLossLoops.ts) over blocks of LOSS_BLOCK pixels, four pixels at
 * a time in the four lanes. The number of pixels is a multiple of four; a block that lies beyond them is cut off.
 */
export const LOSS_BLOCK = 512

/** Vectors a class that a block has in `sums`: pixels, predicted, overlap, surprise, and one to work in. */
export const LOSS_SUMS = 5

const FLOAT = 4

/**
 * lossSums(begin, end, logits, classes, probabilities, sums, pixels, classCount): writes the probabilities (zero at pixels
 * that do not count) and, for each block, the sums of each class by lanes: [blocks, classCount, LOSS_SUMS, 4] floats.
 */
export function lossSumsFunction(): FunctionBuilder {
  const f = new FunctionBuilder('lossSums')
  const [begin, end] = [f.parameter('i32'), f.parameter('i32')]
  const [logits, classes, probabilities] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')]
  const [sums, pixels, classCount] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')]
  const scratch = scratchFor(f)
  const [x, top, sum] = [f.local('v128'), f.local('v128'), f.local('v128')]
  const [own, hit, target] = [f.local('v128'), f.local('v128'), f.local('v128')]
  const [counts, share, log] = [f.local('v128'), f.local('v128'), f.local('v128')]
  const [number, at] = [f.local('v128'), f.local('i32')]
  const last = f.let(vConstant(-0.5))
  f.repeat(classCount, () => f.set(last, vAdd(last, vConstant(1))))
  const forEachClass = classesOf(f, classCount, number)
  const perBlock = f.let(multiply(classCount, i32(LOSS_SUMS * QUAD)))
  f.set(sums, add(sums, multiply(begin, perBlock)))
  forEachFour(
    f,
    { begin, end, pixels, classCount },
    { values: logits, out: probabilities, classes },
    {
      block() {
        f.set(at, sums)
        f.repeat(classCount, () => {
          for (let k = 0; k < LOSS_SUMS; k++) f.store(at, vConstant(0), k * QUAD)
          f.set(at, add(at, i32(LOSS_SUMS * QUAD)))
        })
      },
      four(input, output) {
        f.set(target, vFromIntegers(load(classes)))
        f.set(counts, vAnd(vGreater(target, vConstant(-0.5)), vGreater(last, target)))
        f.set(top, input.gather())
        forEachClass([input], () => f.set(top, vMax(top, input.gather())))
        f.set(sum, vConstant(0))
        f.set(own, vConstant(0))
        f.set(at, sums)
        forEachClass([input], () => {
          f.set(x, vSubtract(input.gather(), top))
          f.set(own, vOr(own, vAnd(x, vEqual(number, target))))
          exponential(f, x, x, scratch)
          f.store(at, x, 4 * QUAD)
          f.set(sum, vAdd(sum, x))
          f.set(at, add(at, i32(LOSS_SUMS * QUAD)))
        })
        logarithm(f, log, sum, scratch)
        f.set(log, vSubtract(log, own))
        f.set(share, vDivide(vConstant(1), sum))
        f.set(at, sums)
        const addTo = (k: number, value: V128) => f.store(at, vAdd(load(at, k * QUAD), value), k * QUAD)
        forEachClass([output], () => {
          f.set(x, vAnd(vMultiply(load(at, 4 * QUAD), share), counts))
          f.set(hit, vEqual(number, target))
          output.scatter(x)
          addTo(0, vAnd(hit, vConstant(1)))
          addTo(1, x)
          addTo(2, vAnd(hit, x))
          addTo(3, vAnd(hit, log))
          f.set(at, add(at, i32(LOSS_SUMS * QUAD)))
        })
      },
      afterBlock: () => f.set(sums, add(sums, perBlock)),
    },
  )
  return f
}

/**
 * lossGradient(begin, end, probabilities, classes, terms, pixels, classCount): turns probabilities into d loss / d logits,
 * in place. `terms` is [classCount, 3] floats: the class's weight, ofMiss, and ofHit - ofMiss.
 */
export function lossGradientFunction(): FunctionBuilder {
  const f = new FunctionBuilder('lossGradient')
  const [begin, end, probabilities] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')]
  const [classes, terms] = [f.parameter('i32'), f.parameter('i32')]
  const [pixels, classCount] = [f.parameter('i32'), f.parameter('i32')]
  const [p, hit, target, mean] = [f.local('v128'), f.local('v128'), f.local('v128'), f.local('v128')]
  const [weight, ofDice, number] = [f.local('v128'), f.local('v128'), f.local('v128')]
  const at = f.local('i32')
  const forEachClass = classesOf(f, classCount, number)
  forEachFour(
    f,
    { begin, end, pixels, classCount },
    { values: probabilities, out: probabilities, classes },
    {
      block: () => undefined,
      four(values) {
        const readClass = () => {
          f.set(p, values.gather())
          f.set(hit, vEqual(number, target))
          f.set(ofDice, vAdd(loadSplat(at, FLOAT), vAnd(hit, loadSplat(at, 2 * FLOAT))))
        }
        const next = () => f.set(at, add(at, i32(3 * FLOAT)))
        f.set(target, vFromIntegers(load(classes)))
        f.set(mean, vConstant(0))
        f.set(weight, vConstant(0))
        f.set(at, terms)
        forEachClass([values], () => {
          readClass()
          f.set(mean, vAdd(mean, vMultiply(p, ofDice)))
          f.set(weight, vOr(weight, vAnd(hit, loadSplat(at))))
          next()
        })
        f.set(at, terms)
        forEachClass([values], () => {
          readClass()
          const ofCrossEntropy = vMultiply(vSubtract(p, vAnd(hit, vConstant(1))), weight)
          f.set(p, vAdd(vMultiply(p, vSubtract(ofDice, mean)), ofCrossEntropy))
          values.scatter(p)
          next()
        })
      },
      afterBlock: () => undefined,
    },
  )
  return f
}

/** The values of one class of four neighbouring pixels. */
interface FourPixels {
  readonly pointers: readonly Local<'i32'>[]
  /** To the first class of four pixels from `first` on. */
  point(first: I32, stride: I32): void
  gather(): V128
  scatter(value: V128): void
}

interface Extent {
  readonly begin: I32
  readonly end: I32
  readonly pixels: I32
  readonly classCount: I32
}

interface Arrays {
  /** Of pixels x classCount floats: what is read, and what is written, which may be the same. */
  readonly values: Local<'i32'>
  readonly out: Local<'i32'>
  /** Of one integer a pixel. */
  readonly classes: Local<'i32'>
}

interface Bodies {
  readonly block: () => void
  /** With the values at the first class and `classes` at the first of four pixels. */
  readonly four: (values: FourPixels, out: FourPixels) => void
  readonly afterBlock: () => void
}

/** Runs the bodies over the blocks begin..end-1. `classes` and `values` lie at the arrays' starts. */
function forEachFour(
  f: FunctionBuilder,
  { begin, end, pixels, classCount }: Extent,
  { values, out, classes }: Arrays,
  { block, four, afterBlock }: Bodies,
): void {
  const stride = f.let(multiply(classCount, i32(FLOAT)))
  const first = f.let(multiply(begin, i32(LOSS_BLOCK)))
  f.set(classes, add(classes, multiply(first, i32(FLOAT))))
  const arrays = new Set([values, out])
  for (const array of arrays) f.set(array, add(array, multiply(first, stride)))
  const input = fourPixels(f)
  const output = out === values ? input : fourPixels(f)
  f.repeat(subtract(end, begin), () => {
    block()
    f.repeat(quarter(minimum(i32(LOSS_BLOCK), subtract(pixels, first))), () => {
      input.point(values, stride)
      if (output !== input) output.point(out, stride)
      four(input, output)
      f.set(classes, add(classes, i32(4 * FLOAT)))
      for (const array of arrays) f.set(array, add(array, multiply(stride, i32(4))))
    })
    afterBlock()
    f.set(first, add(first, i32(LOSS_BLOCK)))
  })
}

function fourPixels(f: FunctionBuilder): FourPixels {
  const [zero, one, two, three] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')]
  const pointers = [zero, one, two, three]
  return {
    pointers,
    point(first, stride) {
      f.set(zero, first)
      f.set(one, add(zero, stride))
      f.set(two, add(one, stride))
      f.set(three, add(two, stride))
    },
    gather: () => loadLane(three, 3, loadLane(two, 2, loadLane(one, 1, loadFirst(zero)))),
    scatter(value) {
      for (const [lane, pointer] of pointers.entries()) f.storeLane(pointer, value, lane)
    },
  }
}

/** Runs a body for each class with `number` set to it; the pixels' pointers are put back behind the last. */
function classesOf(
  f: FunctionBuilder,
  classCount: I32,
  number: Local<'v128'>,
): (pixels: readonly FourPixels[], body: () => void) => void {
  const back = f.let(multiply(classCount, i32(-FLOAT)))
  const move = (pixels: readonly FourPixels[], distance: I32) => {
    for (const { pointers } of pixels) for (const pointer of pointers) f.set(pointer, add(pointer, distance))
  }
  return (pixels, body) => {
    f.set(number, vConstant(0))
    f.repeat(classCount, () => {
      body()
      f.set(number, vAdd(number, vConstant(1)))
      move(pixels, i32(FLOAT))
    })
    move(pixels, back)
  }
}
