/**
 * Prints, as JSON, a digest of what each kernel gives for fixed inputs on the `wasm` backend with as many threads as the
 * first argument says, and the address of the first input, behind as many gigabytes as the second says. A process of its
 * own, because a backend starts once a process.
 */
import { createHash } from 'node:crypto'
import * as tf from '@tensorflow/tfjs-core'
import { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { startWasm } from '../../runtime/wasm.ts'
import {
  ADAM_UPDATE,
  BIAS_GRADIENT,
  JOIN_CHANNELS,
  JOIN_PIXELS,
  MOMENTUM_UPDATE,
  NORMALIZATION,
  NORMALIZATION_GRADIENT,
  PULL_UPDATE,
  RELU_BIAS_GRADIENT,
  RELU_GRADIENT,
  SEGMENTATION_LOSS,
  SPLIT_CHANNELS,
  SPREAD_PIXELS,
  SQUARE_SUM,
} from '../index.ts'
import { randomValues } from './random.ts'

const [threads, gigabytes] = [Number(process.argv[2]), Number(process.argv[3] ?? 0)]
const started = await startWasm(threads)
const backend = tf.backend()
if (!(backend instanceof BackendWasm)) throw new Error('The wasm backend was started.')
// Never written to, they take addresses and no memory.
for (let quarter = 0; quarter < 4 * gigabytes; quarter++) backend.makeOutput([2 ** 26], 'float32')

const tensor = (shape: number[], seed: number) => tf.tensor(randomValues(shape, seed), shape)
const image = tensor([3, 26, 22, 12], 1)
const outer = tensor([3, 26, 22, 20], 2)
const filter = tensor([3, 3, 12, 20], 3)
const even = tensor([3, 3, 12, 24], 7)
const narrow = tensor([3, 26, 22, 2], 4)
const bias = tensor([20], 5)
const pooled = tensor([3, 13, 11, 12], 6)
const common = { strides: [1, 1], dilations: [1, 1], pad: 'same', dataFormat: 'NHWC', dimRoundingMode: '' }
const fused = { ...common, activation: 'relu', leakyreluAlpha: 0 }
const sizes = { inputShape: image.shape, filterShape: filter.shape }
const halving = { filterSize: 2, strides: 2, pad: 'valid', dimRoundingMode: null }
const doubling = { alignCorners: false, halfPixelCenters: false, size: [26, 22] }
const depthwise = tensor([3, 3, 12, 1], 7)
const statistics = tf.abs(tensor([2, 3, 12], 8))
const gamma = tensor([12], 9)
const grouped = { over: 'image', groups: 4, epsilon: 1e-3, relu: true }
const tall = tensor([20_011], 10)
const classes = tf.tensor(
  Int32Array.from({ length: 3 * 26 * 22 }, (_, i) => (7 * i) % 13),
  [3, 26, 22],
  'int32',
)
const update = { variable: tall, gradient: tensor([20_011], 11), scale: tf.scalar(0.5) }
const [mean, square] = [tensor([20_011], 12), tf.abs(tensor([20_011], 13))]

const calls: [name: string, inputs: tf.NamedTensorMap, attrs: object][] = [
  [tf.FusedConv2D, { x: image, filter, bias }, fused],
  [tf.Conv2D, { x: image, filter: even }, common],
  [tf.Conv2D, { x: image, filter }, { ...common, strides: [2, 3] }],
  [tf.Conv2DBackpropInput, { dy: outer, filter }, { ...common, ...sizes }],
  [tf.Conv2DBackpropFilter, { x: image, dy: outer }, { ...common, ...sizes }],
  [tf.Conv2DBackpropFilter, { x: image, dy: image }, { ...common, filterShape: [3, 3, 12, 12] }],
  [tf.Conv2DBackpropFilter, { x: image, dy: narrow }, { ...common, filterShape: [1, 1, 12, 2] }],
  [tf.MaxPool, { x: image }, halving],
  [tf.MaxPoolGrad, { dy: pooled, input: image, output: pooled }, halving],
  [tf.ResizeNearestNeighbor, { images: pooled }, doubling],
  [tf.ResizeNearestNeighborGrad, { dy: image, images: pooled }, doubling],
  [JOIN_CHANNELS, { a: image, b: outer }, {}],
  [SPLIT_CHANNELS, { x: outer }, { first: 7 }],
  [RELU_GRADIENT, { y: image, dy: image }, {}],
  [RELU_BIAS_GRADIENT, { y: outer, dy: outer }, {}],
  [BIAS_GRADIENT, { dy: narrow }, {}],
  [NORMALIZATION, { x: image, gamma, beta: gamma }, grouped],
  [NORMALIZATION, { x: outer }, { ...grouped, over: 'batch', groups: 1 }],
  [NORMALIZATION_GRADIENT, { x: image, dy: image, statistics, gamma }, grouped],
  [SPREAD_PIXELS, { x: image }, { rows: 2, columns: 3 }],
  [JOIN_PIXELS, { x: image }, { rows: 2, columns: 2 }],
  [tf.DepthwiseConv2dNativeBackpropInput, { dy: image, filter: depthwise }, { ...common, inputShape: image.shape }],
  [tf.DepthwiseConv2dNativeBackpropFilter, { x: image, dy: image }, { ...common, filterShape: depthwise.shape }],
  [tf.ResizeBilinearGrad, { dy: image, images: pooled }, doubling],
  [tf.AvgPoolGrad, { dy: pooled, input: image }, { ...halving, pad: 'same' }],
  [SEGMENTATION_LOSS, { logits: image, classes }, {}],
  [SQUARE_SUM, { x: image }, {}],
  [ADAM_UPDATE, { ...update, mean, square }, { rate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, decay: 0.1 }],
  [MOMENTUM_UPDATE, { ...update, velocity: mean }, { rate: 0.1, momentum: 0.9, nesterov: true }],
  [PULL_UPDATE, { variable: tall, anchor: square }, { share: 0.1 }],
]
const digests = calls.map(([name, inputs, attrs]) => {
  const result = tf.engine().runKernel<tf.Tensor | tf.Tensor[]>(name, inputs, { ...attrs })
  const given = Array.isArray(result) ? result : [result]
  // Kernels without a result change what they were given.
  const outputs = given.length === 0 ? Object.values(inputs) : given
  const hash = createHash('sha256')
  for (const output of outputs)
    hash.update(Uint8Array.from(new Uint8Array(Float32Array.from(output.dataSync()).buffer)))
  return [name, hash.digest('hex').slice(0, 16)]
})
process.stdout.write(JSON.stringify({ started, address: backend.getMemoryOffset(image.dataId), digests }))
process.exit(0)
