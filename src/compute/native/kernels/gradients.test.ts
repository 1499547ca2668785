import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, it } from 'vitest'
import { normalizationOf } from '../../kernels/testing/normalizationReference.ts'
import { randomCases } from '../../kernels/testing/random.ts'
import { normalize, normalizeBatch } from '../../models/normalization.ts'
import { startForTests } from '../testing/compare.ts'
import { expectGradients } from '../testing/gradients.ts'
import type { NormalizationCase } from '../../kernels/testing/normalizationReference.ts'

beforeAll(startForTests)

const IMAGE = [2, 3, 5, 4] as const

/** By the operation and its definition. Away from where they have a corner, for numeric differentiation. */
const unary: Record<string, [(x: tf.Tensor) => tf.Tensor, (x: number) => number]> = {
  abs: [tf.abs, Math.abs],
  clipByValue: [(x) => tf.clipByValue(x, -0.4, 0.6), (x) => Math.min(0.6, Math.max(-0.4, x))],
  cos: [tf.cos, Math.cos],
  elu: [tf.elu, (x) => (x < 0 ? Math.expm1(x) : x)],
  erf: [tf.erf, errorFunction],
  exp: [tf.exp, Math.exp],
  expm1: [tf.expm1, Math.expm1],
  leakyRelu: [(x) => tf.leakyRelu(x, 0.3), (x) => (x < 0 ? 0.3 * x : x)],
  log: [(x) => tf.log(tf.add(x, 2)), (x) => Math.log(x + 2)],
  log1p: [tf.log1p, Math.log1p],
  neg: [tf.neg, (x) => -x],
  reciprocal: [(x) => tf.reciprocal(tf.add(x, 2)), (x) => 1 / (x + 2)],
  relu: [tf.relu, (x) => Math.max(0, x)],
  relu6: [(x) => tf.relu6(tf.mul(x, 9)), (x) => Math.min(6, Math.max(0, 9 * x))],
  rsqrt: [(x) => tf.rsqrt(tf.add(x, 2)), (x) => 1 / Math.sqrt(x + 2)],
  selu: [tf.selu, (x) => 1.0507009873554805 * (x < 0 ? 1.6732632423543772 * Math.expm1(x) : x)],
  sigmoid: [tf.sigmoid, (x) => 1 / (1 + Math.exp(-x))],
  sin: [tf.sin, Math.sin],
  softplus: [tf.softplus, (x) => Math.log1p(Math.exp(x))],
  sqrt: [(x) => tf.sqrt(tf.add(x, 2)), (x) => Math.sqrt(x + 2)],
  square: [tf.square, (x) => x * x],
  tanh: [tf.tanh, Math.tanh],
}

const binary: Record<string, [(a: tf.Tensor, b: tf.Tensor) => tf.Tensor, (a: number, b: number) => number]> = {
  add: [tf.add, (a, b) => a + b],
  sub: [tf.sub, (a, b) => a - b],
  mul: [tf.mul, (a, b) => a * b],
  div: [(a, b) => tf.div(a, tf.add(b, 2)), (a, b) => a / (b + 2)],
  atan2: [(a, b) => tf.atan2(a, tf.add(b, 2)), (a, b) => Math.atan2(a, b + 2)],
  pow: [(a, b) => tf.pow(tf.add(a, 2), b), (a, b) => (a + 2) ** b],
  prelu: [(a, b) => tf.prelu(a, b), (a, b) => (a < 0 ? a * b : a)],
}

/** By its power series (Abramowitz and Stegun 7.1.5). */
function errorFunction(x: number): number {
  let [term, sum] = [x, x]
  for (let n = 1; n < 30; n++) {
    term *= (-x * x) / n
    sum += term / (2 * n + 1)
  }
  return (2 / Math.sqrt(Math.PI)) * sum
}

/** Whose gradients TensorFlow.js has for tensors of one shape alone. */
const ofOneShape: typeof binary = {
  maximum: [tf.maximum, Math.max],
  minimum: [tf.minimum, Math.min],
  squaredDifference: [tf.squaredDifference, (a, b) => (a - b) ** 2],
}

describe('gradients of operations of one tensor', () => {
  it.each(Object.entries(unary))('%s', async (_, [operation, definition]) => {
    for (const shape of [IMAGE, [7], [1, 1, 1, 1]]) {
      await expectGradients({
        shapes: [shape],
        operation,
        reference: (x) => x.map(definition),
        seed: 1,
        tolerance: 1e-3,
      })
    }
  })
})

describe('gradients of operations of two tensors', () => {
  it.each(Object.entries(binary))('%s', async (_, [operation, definition]) => {
    for (const other of [[...IMAGE], [4], [1, 1, 1, 4], [2, 3, 5, 1], [5, 4], []]) {
      const shapes = [IMAGE, other]
      const indexOf = (at: number) => indexIn(other, at)
      const reference = (a: Float64Array, b: Float64Array) =>
        a.map((value, at) => definition(value, b[indexOf(at)] ?? NaN))
      await expectGradients({ shapes, operation, reference, seed: 3, tolerance: 1e-3 })
    }
  })
})

describe('gradients of operations of two tensors of one shape', () => {
  it.each(Object.entries(ofOneShape))('%s', async (_, [operation, definition]) => {
    const reference = (a: Float64Array, b: Float64Array) => a.map((value, at) => definition(value, b[at] ?? NaN))
    await expectGradients({ shapes: [IMAGE, IMAGE], operation, reference, seed: 3, tolerance: 1e-3 })
  })

  it('where', async () => {
    const chosen = Array.from({ length: 120 }, (_, at) => at % 7 < 3)
    await expectGradients({
      shapes: [IMAGE, IMAGE],
      operation: (a, b) => tf.where(tf.tensor(chosen, [...IMAGE], 'bool'), a, b),
      reference: (a, b) => a.map((value, at) => (chosen[at] === true ? value : (b[at] ?? NaN))),
      seed: 4,
    })
  })
})

/** Where in a tensor of this shape, broadcast to IMAGE, the element stands that is at this place of the image. */
function indexIn(shape: readonly number[], at: number): number {
  let [rest, index, stride] = [at, 0, 1]
  for (let axis = 3; axis >= 0; axis--) {
    const extent = IMAGE[axis] ?? 1
    const own = shape[axis - 4 + shape.length] ?? 1
    index += own === 1 ? 0 : (rest % extent) * stride
    rest = Math.floor(rest / extent)
    stride *= own
  }
  return index
}

describe('gradients of others', () => {
  it.each([
    [[1, 2], true],
    [[1, 2], false],
    [[0, 1, 2], false],
    [[3], true],
    [[0, 3], false],
    [[0, 1, 2, 3], false],
  ] as const)('mean and sum over %j, kept: %j', async (axes, keep) => {
    const total = IMAGE.reduce<number>(
      (size, extent, axis) => (axes.some((each) => each === axis) ? size * extent : size),
      1,
    )
    const sums = (x: Float64Array) => {
      const shape = IMAGE.map((extent, axis) => (axes.some((each) => each === axis) ? 1 : extent))
      const sum = new Float64Array(shape.reduce<number>((a, b) => a * b, 1))
      x.forEach((value, at) => (sum[indexIn(shape, at)] = (sum[indexIn(shape, at)] ?? 0) + value * value))
      return sum
    }
    await expectGradients({
      shapes: [IMAGE],
      operation: (x) => tf.sum(tf.square(x), [...axes], keep),
      reference: sums,
      seed: 5,
    })
    await expectGradients({
      shapes: [IMAGE],
      operation: (x) => tf.mean(tf.square(x), [...axes], keep),
      reference: (x) => sums(x).map((sum) => sum / total),
      seed: 6,
    })
  })

  it.each([tf.softmax, tf.logSoftmax])('%o', async (operation) => {
    const isLog = operation === tf.logSoftmax
    for (const shape of [IMAGE, [6, 4]]) {
      const reference = (x: Float64Array) =>
        x.map((value, at) => {
          const row = at - (at % 4)
          const sum = x.subarray(row, row + 4).reduce((all, each) => all + Math.exp(each), 0)
          return isLog ? value - Math.log(sum) : Math.exp(value) / sum
        })
      await expectGradients({ shapes: [shape], operation: (x) => operation(x), reference, seed: 8 })
    }
  })

  it.each([
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ])('matrix products, turned: %j %j', async (turnA, turnB) => {
    const [rows, inner, columns] = [3, 5, 2]
    await expectGradients({
      shapes: [turnA ? [inner, rows] : [rows, inner], turnB ? [columns, inner] : [inner, columns]],
      operation: (a, b) => tf.matMul(a, b, turnA, turnB),
      reference: (a, b) =>
        Float64Array.from({ length: rows * columns }, (_, at) => {
          const [row, column] = [Math.floor(at / columns), at % columns]
          let sum = 0
          for (let k = 0; k < inner; k++) {
            sum +=
              (a[turnA ? k * rows + row : row * inner + k] ?? 0) *
              (b[turnB ? column * inner + k : k * columns + column] ?? 0)
          }
          return sum
        }),
      seed: 9,
    })
  })
})

const normalizations = randomCases(16, 13, (choice) => {
  const [groups, each] = [choice.of([1, 2, 3]), choice.of([1, 2, 4])]
  const over = choice.of<'image' | 'batch'>(['image', 'batch'])
  const shape: [number, number, number, number] = [
    choice.whole(1, 2),
    choice.whole(1, 5),
    choice.whole(2, 5),
    groups * each,
  ]
  return {
    ...{ shape, over, groups: over === 'image' ? groups : 1, epsilon: choice.of([1e-3, 1e-1]) },
    ...{ relu: choice.of([true, false]), affine: choice.of([true, false]) },
  } satisfies NormalizationCase & { shape: number[]; affine: boolean }
})

/** Where nothing is scaled, there are neither. */
function parameters<T>(gamma: T | undefined, beta: T | undefined): { gamma: T | null; beta: T | null } {
  return { gamma: gamma ?? null, beta: beta ?? null }
}

describe('gradients of normalizations', () => {
  it.each(normalizations)('%s', async (_, given) => {
    const { shape, over, groups, epsilon, relu, affine } = given
    await expectGradients({
      shapes: affine ? [shape, [shape[3]], [shape[3]]] : [shape],
      operation: (x, gamma, beta) => {
        const common = { epsilon, relu, ...parameters(gamma, beta) }
        if (over === 'image') return normalize(x, { over, groups, ...common })
        return normalizeBatch(x, common, ({ mean, variance }) => tf.dispose([mean, variance]))
      },
      reference: (x, gamma, beta) => normalizationOf(x, shape, given, parameters(gamma, beta)),
      seed: 17,
      tolerance: 2e-3,
    })
  })
})
