import * as tf from '@tensorflow/tfjs-core'
import * as layers from '@tensorflow/tfjs-layers'
import { randomValues } from '../../kernels/testing/random.ts'
import { isVariable } from '../../runtime/tensors.ts'

type Symbolic = layers.SymbolicTensor

/** Layers that networks of others have and ours have not, each in a small network between two convolutions. */
export const FOREIGN_LAYERS: [name: string, layer: () => layers.layers.Layer][] = [
  [
    'Conv2D, stride 2',
    () => layers.layers.conv2d({ filters: 5, kernelSize: 3, strides: 2, padding: 'same', activation: 'relu' }),
  ],
  ['Conv2D, dilated', () => layers.layers.conv2d({ filters: 4, kernelSize: 3, dilationRate: 2, padding: 'same' })],
  [
    'Conv2D, dilated by 3, tanh',
    () =>
      layers.layers.conv2d({ filters: 3, kernelSize: [3, 2], dilationRate: 3, padding: 'same', activation: 'tanh' }),
  ],
  ['Conv2D, elu', () => layers.layers.conv2d({ filters: 3, kernelSize: 3, padding: 'same', activation: 'elu' })],
  ['DepthwiseConv2D', () => layers.layers.depthwiseConv2d({ kernelSize: 3, padding: 'same', activation: 'relu' })],
  [
    'DepthwiseConv2D, stride 2, two outputs',
    () => layers.layers.depthwiseConv2d({ kernelSize: 3, strides: 2, depthMultiplier: 2, padding: 'same' }),
  ],
  ['SeparableConv2D', () => layers.layers.separableConv2d({ filters: 3, kernelSize: 3, padding: 'same' })],
  [
    'Conv2DTranspose, 3 x 3, stride 2',
    () => layers.layers.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2, padding: 'same', activation: 'relu' }),
  ],
  [
    'Conv2DTranspose, 2 x 2, relu',
    () => layers.layers.conv2dTranspose({ filters: 3, kernelSize: 2, strides: 2, activation: 'relu' }),
  ],
  ['AveragePooling2D', () => layers.layers.averagePooling2d({ poolSize: 2 })],
  ['AveragePooling2D, 3 x 3, same', () => layers.layers.averagePooling2d({ poolSize: 3, strides: 2, padding: 'same' })],
  ['MaxPooling2D, 3 x 3', () => layers.layers.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' })],
  ['UpSampling2D, bilinear', () => layers.layers.upSampling2d({ size: [2, 2], interpolation: 'bilinear' })],
  ['UpSampling2D, by 3', () => layers.layers.upSampling2d({ size: [3, 3] })],
  ['BatchNormalization', () => layers.layers.batchNormalization({})],
  ['BatchNormalization without shift', () => layers.layers.batchNormalization({ center: false })],
  ['LayerNormalization of channels', () => layers.layers.layerNormalization({})],
  [
    'LayerNormalization of all',
    () => layers.layers.layerNormalization({ axis: [1, 2, 3], center: false, scale: false }),
  ],
  [
    'LayerNormalization of channels, without scale and shift',
    () => layers.layers.layerNormalization({ center: false, scale: false }),
  ],
  ['LeakyReLU', () => layers.layers.leakyReLU({})],
  ['ELU', () => layers.layers.elu({})],
  ['ReLU', () => layers.layers.reLU({})],
  ['PReLU', () => layers.layers.prelu({ sharedAxes: [1, 2] })],
  ['Softmax', () => layers.layers.softmax({ axis: -1 })],
  ['sigmoid', () => layers.layers.activation({ activation: 'sigmoid' })],
  ['ZeroPadding2D', () => layers.layers.zeroPadding2d({ padding: 1 })],
]

/** The layer between two convolutions, with weights that are the same each time. */
export function networkAround(layer: layers.layers.Layer): layers.LayersModel {
  const image = layers.input({ shape: [null, null, 1] })
  const convolution = (seed: number, filters: number) =>
    layers.layers.conv2d({
      filters,
      kernelSize: 3,
      padding: 'same',
      activation: 'relu',
      kernelInitializer: layers.initializers.heNormal({ seed }),
    })
  const middle = symbolic(layer.apply(symbolic(convolution(1, 6).apply(image))))
  const network = layers.model({ inputs: image, outputs: symbolic(convolution(2, 2).apply(middle)) })
  layer.getWeights().forEach((weight, i) => {
    const values = randomValues(weight.shape, i).map((value) => (weight.rank === 1 ? 1 + 0.5 * value : value))
    const variable = layer.weights[i]?.read()
    if (isVariable(variable)) tf.tidy(() => variable.assign(tf.tensor(values, weight.shape)))
  })
  return network
}

function symbolic(applied: unknown): Symbolic {
  if (applied instanceof layers.SymbolicTensor) return applied
  throw new Error('One symbolic tensor was expected.')
}
