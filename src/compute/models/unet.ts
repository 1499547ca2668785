import type * as tf from '@tensorflow/tfjs-core'
import * as layers from '@tensorflow/tfjs-layers'
import { groupNormalization, groupsFor } from './groupNormalization.ts'

/** What follows each convolution of a block, before its ReLU. */
export type Normalization = 'none' | 'instance' | 'group' | 'batch'

/** How a level's result is brought to the size of the level above. */
export type Upsampling = 'nearest' | 'transposed'

export interface UNetOptions {
  /** Number of down-samplings; inputs are multiples of 2^levels. */
  readonly levels: number
  /** Channels of the first level; doubled at each level below. */
  readonly base: number
  /** Output channels: background and one a label. */
  readonly classes: number
  /** Of the initial weights; the same seed gives the same network. */
  readonly seed: number
  readonly normalization: Normalization
  readonly upsampling: Upsampling
}

/** What the card calls networks by their normalization alone; such a card names neither option. */
export const UNET_KINDS = { normalized: 'unet-norm', plain: 'unet' } as const

/** The layer whose channels stand for the labels; it grows with them. */
export const HEAD_NAME = 'logits'

/**
 * Batch statistics of the last ten steps or so make the moving ones: a training of a few dozen steps must get away from
 * the initial ones, which the usual 0.99 does not.
 */
const MOVING_MOMENTUM = 0.9

type Symbolic = layers.SymbolicTensor

/** The options that a card's architecture stands for, or null when it is no network that can be built here. */
export function unetOptions(architecture: {
  readonly name: string
  readonly normalization?: Normalization | undefined
  readonly upsampling?: Upsampling | undefined
}): Pick<UNetOptions, 'normalization' | 'upsampling'> | null {
  const { name, normalization, upsampling } = architecture
  if (name !== UNET_KINDS.normalized && name !== UNET_KINDS.plain) return null
  const byName = name === UNET_KINDS.normalized ? 'instance' : 'none'
  return { normalization: normalization ?? byName, upsampling: upsampling ?? 'nearest' }
}

/**
 * A U-Net over [n, h, w, 1] in [0, 1] with h and w multiples of 2^levels, giving logits [n, h, w, classes]: two 3x3
 * convolutions with ReLU a block (He initialization), max pooling, up-sampling, skips by concatenation.
 * Normalizations, all written as layers that any TensorFlow.js reads, but the one named:
 * - instance: without scale and shift. It looks at one image alone: a slice predicts the same whatever else is in the
 *   batch, and training at batch size 1 works.
 * - group: with scale and shift, of one image alone too (the layer of groupNormalization.ts).
 * - batch: with scale and shift; statistics of the batch in training, moving ones in prediction.
 * Up-sampling repeats pixels, or is a transposed 2x2 convolution of stride 2 that halves the channels.
 */
export function buildUNet(options: UNetOptions): layers.LayersModel {
  const { levels, base, classes, seed, normalization, upsampling } = options
  let count = 0
  const nextSeed = (): number => seed + count++
  const convolution = (x: Symbolic, filters: number, name: string): Symbolic => {
    const plain = normalization === 'none'
    const convolved = layers.layers.conv2d({
      filters,
      kernelSize: 3,
      padding: 'same',
      useBias: plain,
      activation: plain ? 'relu' : 'linear',
      kernelInitializer: layers.initializers.heNormal({ seed: nextSeed() }),
      name,
    })
    if (plain) return one(convolved.apply(x))
    const norm = normalizationLayer(normalization, filters, `${name}_norm`)
    const relu = layers.layers.activation({ activation: 'relu', name: `${name}_relu` })
    return one(relu.apply(one(norm.apply(one(convolved.apply(x))))))
  }
  const block = (x: Symbolic, filters: number, name: string): Symbolic =>
    convolution(convolution(x, filters, `${name}_1`), filters, `${name}_2`)
  const upsample = (x: Symbolic, filters: number, name: string): Symbolic => {
    if (upsampling === 'nearest') return one(layers.layers.upSampling2d({ size: [2, 2], name }).apply(x))
    const kernelInitializer = layers.initializers.heNormal({ seed: nextSeed() })
    const transposed = layers.layers.conv2dTranspose({ filters, kernelSize: 2, strides: 2, kernelInitializer, name })
    return one(transposed.apply(x))
  }

  const image = layers.input({ shape: [null, null, 1], name: 'image' })
  const skips: Symbolic[] = []
  let x = image
  for (let level = 0; level < levels; level++) {
    const skip = block(x, base * 2 ** level, `down${level}`)
    skips.push(skip)
    x = one(layers.layers.maxPooling2d({ poolSize: 2, name: `pool${level}` }).apply(skip))
  }
  x = block(x, base * 2 ** levels, 'middle')
  for (let level = levels - 1; level >= 0; level--) {
    const skip = skips[level]
    if (skip === undefined) throw new Error('Every level has its skip.')
    const up = upsample(x, base * 2 ** level, `upsample${level}`)
    const joined = one(layers.layers.concatenate({ name: `join${level}` }).apply([skip, up]))
    x = block(joined, base * 2 ** level, `up${level}`)
  }
  const head = layers.layers.conv2d({
    filters: classes,
    kernelSize: 1,
    name: HEAD_NAME,
    kernelInitializer: layers.initializers.glorotNormal({ seed: nextSeed() }),
  })
  return layers.model({ inputs: image, outputs: one(head.apply(x)), name: 'unet' })
}

function normalizationLayer(kind: Exclude<Normalization, 'none'>, channels: number, name: string): layers.layers.Layer {
  switch (kind) {
    case 'instance':
      return layers.layers.layerNormalization({ axis: [1, 2], center: false, scale: false, name })
    case 'group':
      return groupNormalization({ groups: groupsFor(channels), name })
    case 'batch':
      return layers.layers.batchNormalization({ momentum: MOVING_MOMENTUM, name })
  }
}

function one(applied: tf.Tensor | tf.Tensor[] | Symbolic | Symbolic[]): Symbolic {
  if (applied instanceof layers.SymbolicTensor) return applied
  throw new Error('A layer applied to a symbolic tensor gives one symbolic tensor.')
}
