import * as tf from '@tensorflow/tfjs-core'
import * as layers from '@tensorflow/tfjs-layers'
import { z } from 'zod'
import { isDropout } from './dropout.ts'
import { isTensor, isVariable } from '../runtime/tensors.ts'
import { normalize, normalizeBatch, normalizeBy } from './normalization.ts'
import { convolveGenerally } from './generalConvolution.ts'
import { convolve, joinChannels } from './operations.ts'
import { convolveTransposed } from './transposedConvolution.ts'
import type { DropoutMasks } from './dropout.ts'
import type { Convolution } from './operations.ts'
import type { TransposedConvolution } from './transposedConvolution.ts'

type Layer = layers.layers.Layer

/**
 * What a layer does; in training it may use, and change, statistics of its own. Dropout layers drop what they are given masks
 * for, and nothing otherwise.
 */
export type Run = (inputs: readonly tf.Tensor[], training: boolean, masks?: DropoutMasks) => tf.Tensor

/** Our operation for a layer, or the layer itself where there is none. `afterImage`: it reads the image itself. */
export function operationFor(layer: Layer, afterImage: boolean): Run {
  const convolution = convolutionOf(layer)
  if (convolution !== null) return (inputs) => convolve(only(inputs), convolution, !afterImage)
  const general = generalConvolutionOf(layer)
  if (general !== null) return general
  const transposed = transposedConvolutionOf(layer)
  if (transposed !== null) {
    return (inputs, training) => convolveTransposed(only(inputs), transposed) ?? applied(layer, inputs, training)
  }
  if (isDropout(layer)) {
    return (inputs, _, masks) => {
      const mask = masks?.get(layer.name)
      return mask === undefined ? tf.clone(only(inputs)) : tf.mul(only(inputs), mask)
    }
  }
  if (layer.getClassName() === 'Concatenate') {
    return ([a, b, ...more]) => {
      if (a === undefined || b === undefined) throw new Error('Joining takes two inputs.')
      return more.length === 0 ? joinChannels(a, b) : applied(layer, [a, b, ...more], false)
    }
  }
  return normalizationFor(layer, false) ?? ((inputs, training) => applied(layer, inputs, training))
}

/** Our operation for a layer that normalizes, with or without the ReLU that follows it; null for any other layer. */
export function normalizationFor(layer: Layer, relu: boolean): Run | null {
  return layerNorm(layer, relu) ?? groupNorm(layer, relu) ?? batchNorm(layer, relu)
}

export function isRelu(layer: Layer | undefined): boolean {
  return layer?.getClassName() === 'Activation' && layer.getConfig().activation === 'relu'
}

export function applied(layer: Layer, inputs: readonly tf.Tensor[], training: boolean): tf.Tensor {
  const output = layer.apply(inputs.length === 1 ? only(inputs) : [...inputs], { training })
  if (isTensor(output)) return output
  throw new Error(`The layer ${layer.name} must have one output.`)
}

export function only([value]: readonly tf.Tensor[]): tf.Tensor {
  if (value === undefined) throw new Error('A layer needs an input.')
  return value
}

const layerConfig = z.object({
  axis: z.union([z.int().transform((axis) => [axis]), z.array(z.int())]),
  epsilon: z.number(),
  center: z.boolean(),
  scale: z.boolean(),
})

/**
 * Layer normalization without scale and shift, whose gradient TensorFlow.js does not find: over height and width it is
 * instance normalization, over all of an image group normalization by one group, over channels the same of each pixel.
 */
function layerNorm(layer: Layer, relu: boolean): Run | null {
  if (layer.getClassName() !== 'LayerNormalization') return null
  const { axis, epsilon, center, scale } = layerConfig.parse(layer.getConfig())
  if (center || scale) return null
  const axes = String(axis.map((each) => (each + 4) % 4).sort())
  const by = (x: tf.Tensor, groups: number) =>
    normalize(x, { over: 'image', groups, epsilon, relu, gamma: null, beta: null })
  if (axes === '1,2') return (inputs) => by(only(inputs), only(inputs).shape[3] ?? 1)
  if (axes === '1,2,3') return (inputs) => by(only(inputs), 1)
  if (axes !== '3') return null
  return (inputs) => {
    const x = only(inputs)
    return tf.reshape(by(tf.reshape(x, [-1, 1, 1, x.shape[3] ?? 1]), 1), x.shape)
  }
}

const channelsAxis = z.union([z.literal(-1), z.literal(3)])
const groupConfig = z.object({
  axis: channelsAxis,
  groups: z.int(),
  epsilon: z.number(),
  center: z.boolean(),
  scale: z.boolean(),
})

function groupNorm(layer: Layer, relu: boolean): Run | null {
  if (layer.getClassName() !== 'GroupNormalization') return null
  const { groups, epsilon, center, scale } = groupConfig.parse(layer.getConfig())
  const parameters = () => scaleAndShift(layer, scale, center)
  return (inputs) => normalize(only(inputs), { over: 'image', groups, epsilon, relu, ...parameters() })
}

const batchConfig = z.object({
  axis: channelsAxis,
  momentum: z.number(),
  epsilon: z.number(),
  center: z.boolean(),
  scale: z.boolean(),
})

/**
 * In training by the statistics of the batch, from which the moving ones learn: moving = moving * momentum + of the batch *
 * (1 - momentum). In prediction by the moving ones.
 */
function batchNorm(layer: Layer, relu: boolean): Run | null {
  if (layer.getClassName() !== 'BatchNormalization') return null
  const config = batchConfig.safeParse(layer.getConfig())
  if (!config.success) return null
  const { momentum, epsilon, center, scale } = config.data
  const [movingMean, movingVariance] = layer.nonTrainableWeights
  if (movingMean === undefined || movingVariance === undefined) return null
  const learn = (moving: typeof movingMean, value: tf.Tensor) => {
    moving.write(tf.add(tf.mul(moving.read(), momentum), tf.mul(value, 1 - momentum)))
  }
  return (inputs, training) => {
    const options = { epsilon, relu, ...scaleAndShift(layer, scale, center) }
    if (!training) {
      return normalizeBy(only(inputs), { ...options, mean: movingMean.read(), variance: movingVariance.read() })
    }
    return normalizeBatch(only(inputs), options, ({ mean, variance }) => {
      tf.tidy(() => {
        learn(movingMean, mean)
        learn(movingVariance, variance)
      })
      tf.dispose([mean, variance])
    })
  }
}

/** A layer's weights are its scale and its shift, as far as it has them, and then what is not trained. */
function scaleAndShift(
  layer: Layer,
  scale: boolean,
  center: boolean,
): { gamma: tf.Tensor | null; beta: tf.Tensor | null } {
  const weights = layer.weights.map((weight) => weight.read())
  const gamma = scale ? weights.shift() : null
  const beta = center ? weights.shift() : null
  if (gamma === undefined || beta === undefined) throw new Error(`The layer ${layer.name} lacks a weight.`)
  return { gamma, beta }
}

const convolutionConfig = z.object({
  strides: z.tuple([z.literal(1), z.literal(1)]),
  dilationRate: z.tuple([z.literal(1), z.literal(1)]),
  padding: z.enum(['same', 'valid']),
  dataFormat: z.literal('channelsLast'),
  activation: z.enum(['relu', 'linear']),
})

function convolutionOf(layer: Layer): Convolution | null {
  if (layer.getClassName() !== 'Conv2D') return null
  const config = convolutionConfig.safeParse(layer.getConfig())
  const [filter, bias] = layer.weights.map((weight) => weight.read())
  if (!config.success || !isVariable(filter) || (bias !== undefined && !isVariable(bias))) return null
  const { padding, activation } = config.data
  return { filter, bias: bias ?? null, padding, relu: activation === 'relu' }
}

const pair = z.tuple([z.int(), z.int()])
const generalConfig = z.object({
  strides: pair,
  dilationRate: pair.nullish().transform((rate) => rate ?? ([1, 1] as const)),
  padding: z.enum(['same', 'valid']),
  dataFormat: z.literal('channelsLast'),
  activation: z.enum([
    'linear',
    'relu',
    'relu6',
    'elu',
    'selu',
    'sigmoid',
    'hardSigmoid',
    'tanh',
    'softplus',
    'softsign',
  ]),
})

/** Convolutions with strides or dilations, and depthwise ones. */
function generalConvolutionOf(layer: Layer): Run | null {
  const depthwise = layer.getClassName() === 'DepthwiseConv2D'
  if (!depthwise && layer.getClassName() !== 'Conv2D') return null
  const config = generalConfig.safeParse(layer.getConfig())
  const [filter, bias] = layer.weights.map((weight) => weight.read())
  if (!config.success || !isVariable(filter) || (bias !== undefined && !isVariable(bias))) return null
  const { activation, strides, dilationRate: dilations, padding } = config.data
  // TensorFlow.js takes one or the other; the layer says so.
  if (Math.max(...strides) > 1 && Math.max(...dilations) > 1) return null
  const convolution = { filter, bias: bias ?? null, padding, strides, dilations, depthwise }
  const activate = layers.layers.activation({ activation, name: `${layer.name}_activation` })
  return (inputs, training) => {
    const y = convolveGenerally(only(inputs), convolution)
    return activation === 'linear' ? y : applied(activate, [y], training)
  }
}

const transposedConfig = z.object({
  kernelSize: z.tuple([z.int(), z.int()]),
  strides: z.tuple([z.int(), z.int()]),
  dataFormat: z.literal('channelsLast'),
  activation: z.literal('linear'),
})

/** Where the windows lie side by side: their size is the stride. */
function transposedConvolutionOf(layer: Layer): TransposedConvolution | null {
  if (layer.getClassName() !== 'Conv2DTranspose') return null
  const config = transposedConfig.safeParse(layer.getConfig())
  const [filter, bias] = layer.weights.map((weight) => weight.read())
  if (!config.success || !isVariable(filter) || (bias !== undefined && !isVariable(bias))) return null
  const { kernelSize, strides } = config.data
  if (kernelSize[0] !== strides[0] || kernelSize[1] !== strides[1]) return null
  return { filter, bias: bias ?? null }
}
