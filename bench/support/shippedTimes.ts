/**
 * Prints, as JSON, the milliseconds of training steps of the reference U-Net on tfjs-backend-wasm as it ships: its own
 * kernels, one thread (it starts no more under Node), the network, loss and optimizer of TensorFlow.js. Without a filter
 * gradient it trains no convolution at all; it gets one through the kernel of its own that comes nearest,
 * Conv3DBackpropFilterV2, by taking images for volumes of one slice.
 * Arguments: size, base, batch, seconds.
 */
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers'
import '@tensorflow/tfjs-backend-wasm'
import { z } from 'zod'
import { buildUNet } from '../../src/compute/models/unet.ts'
import { isTensor } from '../../src/compute/runtime/tensors.ts'
import { measured } from './report.ts'

const [size = 128, base = 8, batch = 4, seconds = 10] = process.argv.slice(2).map(Number)

const four = z.tuple([z.number(), z.number(), z.number(), z.number()])
const attributes = z.object({
  pad: z.enum(['same', 'valid']),
  strides: z.tuple([z.literal(1), z.literal(1)]),
  filterShape: four,
})

function tensorOf(value: unknown): tf.Tensor {
  if (isTensor(value)) return value
  throw new Error('A tensor was expected.')
}

tf.registerKernel({
  kernelName: tf.Conv2DBackpropFilter,
  backendName: 'wasm',
  kernelFunc: ({ inputs, attrs }) => {
    const { pad, strides, filterShape } = attributes.parse(attrs)
    return tf.tidy(() => {
      const volume = (value: unknown): tf.Tensor => {
        const image = tensorOf(value)
        const [n, h, w, c] = four.parse(image.shape)
        return tf.reshape(image, [n, 1, h, w, c])
      }
      const gradient = tf
        .engine()
        .runKernel<tf.Tensor>(
          tf.Conv3DBackpropFilterV2,
          { x: volume(inputs.x), dy: volume(inputs.dy) },
          { strides: [1, ...strides], pad, filterShape: [1, ...filterShape] },
        )
      return tf.reshape(gradient, filterShape)
    })
  },
})

tf.enableProdMode()
await tf.setBackend('wasm')
const network = buildUNet({ levels: 4, base, classes: 1, seed: 1, normalization: 'none', upsampling: 'nearest' })
const pixels = batch * size * size
const shape: [number, number, number, number] = [batch, size, size, 1]
const images = tf.tensor4d(
  Float32Array.from({ length: pixels }, (_, i) => ((i * 7919) % 251) / 251),
  shape,
)
const truth = tf.tensor4d(
  Float32Array.from({ length: pixels }, (_, i) => Number(i % size > size / 2)),
  shape,
)
const optimizer = tf.train.adam(1e-3)
const train = await measured(seconds, () => {
  const loss = optimizer.minimize(
    () => tf.losses.sigmoidCrossEntropy(truth, tensorOf(network.apply(images, { training: true }))),
    true,
  )
  loss?.dataSync()
  loss?.dispose()
})
const infer = await measured(seconds / 2, () => {
  tf.tidy(() => tensorOf(network.apply(images)).dataSync())
})
console.log(JSON.stringify({ train, infer }))
process.exit(0)
