import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { randomCases, randomValues } from '../../kernels/testing/random.ts'
import { NativeBackend } from '../backend.ts'
import { collectGraph } from '../graph/collect.ts'
import { heldOf } from '../graph/settle.ts'
import { optimize } from '../graph/passes/optimize.ts'
import { createOnnxEngine } from '../session/onnxEngine.ts'
import { loadOnnxRuntime } from '../session/package.ts'
import { valueIn } from '../tensors.ts'
import { startForTests } from '../testing/compare.ts'
import { blockSize } from './blockSize.ts'
import { lower } from './lower.ts'
import type { Engine } from '../engine.ts'
import type { Graph } from '../graph/types.ts'

const runtime = loadOnnxRuntime(null)
const block = await blockSize(runtime)
const engine = (size: number | null): Engine => createOnnxEngine({ runtime, provider: 'cpu', threads: 1, block: size })
const [plain, blocked] = [engine(null), engine(block)]

beforeAll(startForTests)

/** Shapes with which all ways through the lowering are met: whole and broken blocks, images that share blocks, odd sizes. */
interface Case {
  readonly batch: number
  readonly size: [number, number]
  readonly channels: [number, number, number]
  readonly classes: number
  readonly norm: boolean
  readonly transposed: boolean
}

const tensor = (shape: readonly number[], seed: number): tf.Tensor4D =>
  tf.tensor4d(randomValues(shape, seed), [shape[0] ?? 1, shape[1] ?? 1, shape[2] ?? 1, shape[3] ?? 1])

type Weights = Record<'first' | 'bias' | 'inner' | 'outer' | 'head' | 'up' | 'scale', tf.Tensor>

const four = (value: tf.Tensor): tf.Tensor4D => tf.reshape(value, [...value.shape.slice(0, 4)] as tf.ShapeMap['R4'])

/** A small network with a skip, of the operations that ours have. */
function network(image: tf.Tensor4D, weights: Weights, { norm, transposed, size }: Case): tf.Tensor4D {
  const convolved = (x: tf.Tensor4D, filter: tf.Tensor) => tf.conv2d(x, four(filter), 1, 'same')
  const normal = (x: tf.Tensor4D): tf.Tensor4D => {
    if (!norm) return tf.relu(x)
    const { mean, variance } = tf.moments(x, [1, 2], true)
    const standard = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 0.1)))
    return tf.leakyRelu(four(tf.mul(standard, weights.scale)))
  }
  const skip = normal(tf.add(convolved(image, weights.first), weights.bias))
  const deep = tf.relu(convolved(tf.maxPool(skip, 2, 2, 'valid'), weights.inner))
  const outputs = weights.up.shape[2] ?? 1
  const up = transposed
    ? tf.conv2dTranspose(deep, four(weights.up), [image.shape[0], ...size, outputs], 2, 'valid')
    : tf.image.resizeNearestNeighbor(deep, size)
  return convolved(tf.relu(convolved(tf.concat([skip, up], 3), weights.outer)), weights.head)
}

function recordedGradients(each: Case): Graph {
  const { batch, size, channels, classes, transposed, norm } = each
  const [a, b, c] = channels
  const shapes: Record<keyof Weights, number[]> = {
    ...{ first: [3, 3, 1, a], bias: [a], inner: [3, 3, a, b], outer: [3, 3, a + b, c] },
    ...{ head: [1, 1, c, classes], up: [2, 2, b, b], scale: [1, 1, 1, a] },
  }
  const names = (Object.keys(shapes) as (keyof Weights)[]).filter(
    (_, i) => (i !== 5 || transposed) && (i !== 6 || norm),
  )
  const all = Object.fromEntries(
    Object.entries(shapes).map(([name, shape], i) => [name, tf.tensor(randomValues(shape, i + 1), shape)]),
  ) as Weights
  const image = tensor([batch, ...size, 1], 9)
  const { value, grads } = tf.valueAndGrads((...inputs: tf.Tensor[]) => {
    const y = network(image, { ...all, ...Object.fromEntries(names.map((name, i) => [name, inputs[i]])) }, each)
    return tf.sum(tf.mul(y, tensor(y.shape, 10)))
  })(names.map((name) => all[name]))
  const backend = tf.backend()
  if (!(backend instanceof NativeBackend)) throw new Error('The recorder was expected.')
  return optimize(collectGraph([value, ...grads].map((output) => valueIn(backend.recorded(output), 'plain'))))
}

async function results(using: Engine, graph: Graph) {
  const held = await (await using.compile(graph)).run(graph.inputs.map(heldOf))
  return held.map(({ elements }) => Array.from(elements ?? [], Number))
}

describe('lowering', () => {
  const cases = randomCases(24, 61, ({ whole, of }): Case => ({
    batch: whole(1, 4),
    size: of([
      [4, 6],
      [8, 8],
      [2, 2],
      [6, 10],
    ]),
    channels: of<Case['channels']>([
      [8, 16, 8],
      [4, 8, 4],
      [16, 32, 16],
      [6, 12, 5],
      [8, 24, 16],
      [1, 2, 8],
      [17, 9, 3],
    ]),
    classes: whole(1, 3),
    norm: of([true, false]),
    transposed: of([true, false]),
  }))

  /** More images than a block has lanes, and images whose sums are taken in strips. */
  const large = (batch: number, size: Case['size'], channels: Case['channels']): [string, Case] => [
    `${batch} of ${size.join(' x ')}`,
    { batch, size, channels, classes: 2, norm: false, transposed: false },
  ]
  const more = [
    large(17, [4, 6], [3, 16, 8]),
    large(32, [2, 4], [8, 16, 8]),
    large(1, [200, 178], [1, 2, 8]),
    large(2, [190, 200], [8, 8, 16]),
  ]

  it.each([...cases, ...more])('gives the same in blocks as by ONNX alone %s', async (_, each) => {
    if (block === null) return
    await tf.setBackend('native')
    tf.engine().startScope()
    const graph = recordedGradients(each)
    const [expected, given] = [await results(plain, graph), await results(blocked, graph)]
    tf.engine().endScope()
    // Some gradients are zero but for rounding: a bias before a normalization.
    const largest = (values: readonly number[]) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    const floor = 1e-2 * largest(expected.flat())
    expected.forEach((values, output) => {
      const scale = Math.max(floor, largest(values))
      const worst = values.reduce((most, value, i) => Math.max(most, Math.abs(value - (given[output]?.[i] ?? NaN))), 0)
      expect(worst / scale).toBeLessThan(5e-5)
    })
    const domains = new Set(lower(graph, block).nodes.map(({ domain }) => domain))
    expect(domains).not.toContain('maskwright')
    if (Math.max(...each.channels) >= block) expect(domains).toContain('com.microsoft.nchwc')
  })
})
