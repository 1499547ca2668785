import * as tf from '@tensorflow/tfjs-core'
import { createRandom } from '../../../data/random.ts'
import { normalize, normalizeBatch, normalizeBy } from '../../../models/normalization.ts'

/** An operation on random values, run once on each backend; what it gives is compared. */
export interface Operation {
  readonly name: string
  readonly run: () => tf.Tensor[]
}

type Shape = readonly number[]
/** Values in [-1, 1], or in steps with many equal ones and zeros. */
type Values = 'any' | 'steps'

function values(shape: Shape, seed: number, kind: Values = 'any'): tf.Tensor {
  const random = createRandom(seed)
  const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () =>
    kind === 'any' ? 2 * random() - 1 : Math.floor(4 * random()) - 3,
  )
  return tf.tensor(data, [...shape])
}

/** An operation, and its gradients by all inputs where `gradient` is given. */
function operation(
  name: string,
  f: (...inputs: tf.Tensor[]) => tf.Tensor,
  shapes: readonly Shape[],
  { gradient = true, kind = 'any' }: { gradient?: boolean; kind?: Values } = {},
): Operation[] {
  const inputs = () => shapes.map((shape, index) => values(shape, index + 1, kind))
  const label = `${name} ${shapes.map((shape) => `[${shape.join(',')}]`).join(' ')}`
  const forward = { name: label, run: () => [f(...inputs())] }
  const weighted = (...all: tf.Tensor[]) => {
    const y = f(...all)
    return tf.sum(tf.mul(y, values(y.shape, 99)))
  }
  return gradient ? [forward, { name: `gradient of ${label}`, run: () => tf.grads(weighted)(inputs()) }] : [forward]
}

function four(tensor: tf.Tensor): tf.Tensor4D {
  const [a = 1, b = 1, c = 1, d = 1] = tensor.shape
  return tf.reshape(tensor, [a, b, c, d])
}

function vector(tensor: tf.Tensor): tf.Tensor1D {
  return tf.reshape(tensor, [tensor.size])
}

function convolution(x: Shape, filter: Shape, stride: number, pad: 'same' | 'valid', dilation = 1): Operation[] {
  const name = `convolution ${pad} stride ${stride} dilation ${dilation}`
  const plain = (image?: tf.Tensor, weights?: tf.Tensor) =>
    tf.conv2d(four(image!), four(weights!), stride, pad, 'NHWC', dilation)
  const channels = filter[3] ?? 1
  const fused = (image?: tf.Tensor, weights?: tf.Tensor, bias?: tf.Tensor) =>
    tf.fused.conv2d({
      x: four(image!),
      filter: four(weights!),
      strides: stride,
      pad,
      bias: tf.reshape(bias!, [channels]),
      activation: 'relu',
    })
  return [
    ...operation(name, plain, [x, filter], { gradient: dilation === 1 }),
    ...(dilation === 1 ? operation(`${name} with bias and ReLU`, fused, [x, filter, [channels]]) : []),
  ]
}

function transposed(x: Shape, filter: Shape, stride: number, pad: 'same' | 'valid'): Operation[] {
  const [n = 1, h = 1, w = 1] = x
  const size = (extent: number, window = 1) => (pad === 'same' ? extent * stride : (extent - 1) * stride + window)
  const out: [number, number, number, number] = [n, size(h, filter[0]), size(w, filter[1]), filter[2] ?? 1]
  const run = (image?: tf.Tensor, weights?: tf.Tensor) =>
    tf.conv2dTranspose(four(image!), four(weights!), out, stride, pad)
  return operation(`transposed convolution ${pad} stride ${stride}`, run, [x, filter])
}

function depthwise(x: Shape, filter: Shape, stride: number): Operation[] {
  const run = (image?: tf.Tensor, weights?: tf.Tensor) =>
    tf.depthwiseConv2d(four(image!), four(weights!), stride, 'same')
  return operation(`depthwise convolution stride ${stride}`, run, [x, filter])
}

function pooling(x: Shape, size: number, stride: number, pad: 'same' | 'valid'): Operation[] {
  const run = (image?: tf.Tensor) => tf.maxPool(four(image!), size, stride, pad)
  const name = `max pooling ${size} stride ${stride} ${pad}`
  return [...operation(name, run, [x]), ...operation(`${name}, equal values`, run, [x], { kind: 'steps' })]
}

function resizing(x: Shape, to: [number, number]): Operation[] {
  return [
    ...operation(`nearest to ${to.join('x')}`, (image) => tf.image.resizeNearestNeighbor(four(image), to), [x]),
    ...[false, true].map((aligned): Operation => {
      const run = (image?: tf.Tensor) => tf.image.resizeBilinear(four(image!), to, aligned, !aligned)
      return operation(`bilinear to ${to.join('x')}, aligned ${aligned}`, run, [x], { gradient: false })[0]!
    }),
  ]
}

function normalizing(x: Shape): Operation[] {
  const [n = 1, h = 1, w = 1, c = 1] = x
  const normalized = (tensor: tf.Tensor, axes: number[]) => {
    const { mean, variance } = tf.moments(tensor, axes, true)
    return tf.div(tf.sub(tensor, mean), tf.sqrt(tf.add(variance, 1e-3)))
  }
  const batch = (...[tensor, mean, spread, scale]: tf.Tensor[]) =>
    tf.batchNorm(
      four(tensor!),
      vector(mean!),
      vector(tf.add(tf.square(spread!), 0.1)),
      vector(mean!),
      vector(scale!),
      1e-3,
    )
  return [
    ...operation('statistics of images', (tensor) => tf.relu(normalized(tensor, [1, 2])), [x]),
    ...operation('batch statistics', (tensor) => normalized(tensor, [0, 1, 2]), [x]),
    ...operation('statistics of groups', (tensor) => normalized(tf.reshape(tensor, [n, h * w, 1, c]), [1, 3]), [x]),
    ...[false, true].flatMap((relu) => ours(x, relu)),
    ...operation('batch normalization', batch, [x, [c], [c], [c]]),
  ]
}

/** The normalizations of our networks, which have kernels of their own. */
function ours(x: Shape, relu: boolean): Operation[] {
  const c = x[3] ?? 1
  const name = relu ? ' and ReLU' : ''
  const common = { epsilon: 1e-3, relu, gamma: null, beta: null }
  const image = (groups: number) => ({ ...common, over: 'image' as const, groups })
  const affine = [x, [c], [c]]
  const off = (tensor?: tf.Tensor) => tf.add(tensor!, 3)
  return [
    ...operation(`instance kernel${name}`, (t) => normalize(off(t), image(c)), [x]),
    ...operation(
      `layer kernel${name}`,
      (t, gamma, beta) => normalize(t, { ...image(1), gamma: gamma, beta: beta }),
      affine,
    ),
    ...operation(`scaled kernel${name}`, (t, gamma) => normalize(t, { ...image(c), gamma: gamma }), [x, [c]]),
    ...(c % 2 === 0 ? operation(`group kernel${name}`, (t) => normalize(t, image(2)), [x]) : []),
    ...operation(
      `batch kernel${name}`,
      (t, gamma, beta) =>
        normalizeBatch(t, { ...common, gamma: gamma, beta: beta }, ({ mean, variance }) => {
          tf.dispose([mean, variance])
        }),
      affine,
    ),
    ...operation(
      `given kernel${name}`,
      (t, gamma, beta) => {
        const [mean, variance] = [values([c], 8), tf.add(tf.square(values([c], 9)), 0.1)]
        return normalizeBy(t, { ...common, gamma: gamma, beta: beta, mean, variance })
      },
      affine,
    ),
  ]
}

function elementwise(x: Shape): Operation[] {
  const c = x[3] ?? 1
  const one = (name: string, f: (tensor: tf.Tensor) => tf.Tensor, options = {}): Operation[] =>
    operation(name, (tensor) => f(tensor), [x], options)
  const two = (name: string, f: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor): Operation[] =>
    operation(name, (a, b) => f(a, b), [x, x])
  return [
    ...one('softmax', (t) => tf.softmax(t)),
    ...one('log softmax', (t) => tf.logSoftmax(t)),
    ...one('ReLU', (t) => tf.relu(t)),
    ...one('step', (t) => tf.step(t), { gradient: false, kind: 'steps' }),
    ...one('sum', (t) => tf.sum(t)),
    ...one('sum over all but channels', (t) => tf.sum(t, [0, 1, 2])),
    ...one('mean over pixels', (t) => tf.mean(t, [1, 2])),
    ...one('largest channel', (t) => tf.max(t, 3), { gradient: false }),
    ...one('place of the largest channel', (t) => tf.argMax(t, 3), { gradient: false, kind: 'steps' }),
    ...one('clipping', (t) => tf.clipByValue(t, -0.2, 0.4)),
    ...one('comparison and cast', (t) => tf.cast(tf.greater(t, 0), 'float32'), { gradient: false }),
    ...one('logarithm and exponential', (t) => tf.log(tf.add(tf.exp(t), 1))),
    ...one('transposition', (t) => tf.transpose(t, [0, 3, 1, 2])),
    ...one('zeros around', (t) =>
      tf.pad(t, [
        [0, 0],
        [1, 2],
        [2, 1],
        [0, 0],
      ]),
    ),
    ...one('slice', (t) => tf.slice(t, [0, 0, 0, 0], [1, 1, 1, 1])),
    ...two('joined channels', (a, b) => tf.concat([a, b], 3)),
    ...two('minimum', (a, b) => tf.minimum(a, b)),
    ...two('maximum', (a, b) => tf.maximum(a, b)),
    ...two('choice', (a, b) => tf.where(tf.cast(tf.step(values(x, 7)), 'bool'), a, b)),
    ...two('quotient of a root', (a, b) => tf.div(a, tf.add(tf.sqrt(tf.add(tf.square(b), 0.01)), 1e-8))),
    ...operation('product along channels', (a, b) => tf.mul(a, b), [x, [c]]),
  ]
}

/** Sizes of a random number of digits: small ones, odd ones, one. */
function randomConvolutions(count: number): Operation[] {
  const random = createRandom(17)
  const pick = (...choices: readonly number[]) => choices[Math.floor(random() * choices.length)] ?? 1
  return Array.from({ length: count }, () => {
    const window = pick(1, 2, 3, 3, 5)
    const channels = pick(1, 2, 3, 4, 5, 8, 17)
    const x = [pick(1, 2, 3), pick(5, 6, 9, 13, 20), pick(5, 7, 8, 11, 33), channels]
    return convolution(
      x,
      [window, window, channels, pick(1, 3, 4, 8, 18)],
      pick(1, 1, 2),
      random() < 0.7 ? 'same' : 'valid',
    )
  }).flat()
}

export function operations(): Operation[] {
  const shapes: Shape[] = [
    [2, 3, 5, 4],
    [1, 1, 1, 1],
    [3, 1, 1, 7],
  ]
  return [
    ...convolution([1, 1, 1, 1], [3, 3, 1, 1], 1, 'same'),
    ...convolution([1, 6, 5, 1], [3, 3, 1, 2], 1, 'same'),
    ...convolution([3, 24, 24, 1], [3, 3, 1, 4], 1, 'same'),
    ...convolution([1, 4, 4, 32], [3, 3, 32, 32], 1, 'same'),
    ...convolution([1, 3, 4, 2], [5, 5, 2, 2], 1, 'same'),
    ...convolution([2, 7, 7, 3], [3, 3, 3, 4], 1, 'same', 2),
    ...randomConvolutions(12),
    ...transposed([2, 3, 4, 5], [2, 2, 3, 5], 2, 'same'),
    ...transposed([1, 1, 1, 1], [2, 2, 1, 1], 2, 'valid'),
    ...transposed([2, 3, 3, 4], [3, 3, 2, 4], 2, 'same'),
    ...transposed([1, 4, 4, 8], [3, 3, 4, 8], 1, 'same'),
    ...depthwise([2, 5, 7, 3], [3, 3, 3, 2], 1),
    ...depthwise([1, 8, 8, 4], [3, 3, 4, 1], 2),
    ...depthwise([1, 1, 1, 1], [3, 3, 1, 1], 1),
    ...pooling([2, 4, 6, 4], 2, 2, 'valid'),
    ...pooling([1, 5, 7, 3], 2, 2, 'same'),
    ...pooling([1, 6, 5, 2], 3, 1, 'same'),
    ...pooling([1, 9, 7, 1], 3, 2, 'valid'),
    ...resizing([3, 3, 2, 4], [6, 4]),
    ...resizing([1, 1, 1, 4], [2, 2]),
    ...resizing([2, 3, 4, 2], [7, 5]),
    ...resizing([1, 6, 6, 1], [4, 3]),
    ...[...shapes, [2, 40, 37, 6]].flatMap(normalizing),
    ...shapes.flatMap(elementwise),
    ...[1, 7, 4097, 70000, 300001].flatMap((size) =>
      operation('sum of squares', (t) => tf.sum(tf.square(t)), [[size]], { gradient: false }),
    ),
    ...(
      [
        [2, 70, 33, 5],
        [1, 300, 200, 3],
      ] as const
    ).flatMap((shape) => [
      ...operation('mean over many pixels', (t) => tf.mean(t, [1, 2], true), [shape]),
      ...operation('sum over many pixels', (t) => tf.sum(t, [0, 1, 2]), [shape]),
      ...operation('sum over rows', (t) => tf.sum(t, [1]), [shape]),
      ...operation('sum over apart axes', (t) => tf.sum(t, [0, 2]), [shape]),
    ]),
    {
      name: 'sum of integers',
      run: () => [
        tf.sum(
          tf.tensor2d(
            [
              [1, 2],
              [3, 4],
              [5, 6],
            ],
            [3, 2],
            'int32',
          ),
          0,
        ),
      ],
    },
    { name: 'sum of many', run: () => [tf.addN(Array.from({ length: 41 }, (_, at) => values([3, 2], at)))] },
    { name: 'one-hot', run: () => [tf.oneHot(tf.tensor1d([0, 1, 255, 5], 'int32'), 6)] },
    { name: 'gather', run: () => [tf.gather(values([5, 3], 1), tf.tensor1d([4, 0, 2], 'int32'))] },
  ]
}
