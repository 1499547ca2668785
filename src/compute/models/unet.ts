import type * as tf from '@tensorflow/tfjs-core'
import * as layers from '@tensorflow/tfjs-layers'

export interface UNetOptions {
  /** Number of down-samplings; inputs are multiples of 2^levels. */
  readonly levels: number
  /** Channels of the first level; doubled at each level below. */
  readonly base: number
  /** Output channels: background and one a label. */
  readonly classes: number
  /** Of the initial weights; the same seed gives the same network. */
  readonly seed: number
  /** Instance normalization after each convolution (the kind 'unet-norm'), or the plain kind 'unet'. */
  readonly normalized: boolean
}

/** What the card calls the two kinds. */
export const UNET_KINDS = { normalized: 'unet-norm', plain: 'unet' } as const

/** The layer whose channels stand for the labels; it grows with them. */
export const HEAD_NAME = 'logits'

type Symbolic = layers.SymbolicTensor

/**
 * A U-Net over [n, h, w, 1] in [0, 1] with h and w multiples of 2^levels, giving logits [n, h, w, classes]: two 3x3
 * convolutions with ReLU a block (He initialization), max pooling, nearest up-sampling, skips by concatenation.
 * Normalized, each convolution is followed by instance normalization without scale and shift, which looks at one image
 * alone: a slice predicts the same whatever else is in the batch, and training at batch size 1 works. It is written as
 * the standard layer that does the same, so that any TensorFlow.js reads the model.
 */
export function buildUNet({ levels, base, classes, seed, normalized }: UNetOptions): layers.LayersModel {
  let count = 0
  const convolution = (x: Symbolic, filters: number, name: string): Symbolic => {
    const convolved = layers.layers.conv2d({
      filters,
      kernelSize: 3,
      padding: 'same',
      useBias: !normalized,
      activation: normalized ? 'linear' : 'relu',
      kernelInitializer: layers.initializers.heNormal({ seed: seed + count++ }),
      name,
    })
    if (!normalized) return one(convolved.apply(x))
    const norm = layers.layers.layerNormalization({ axis: [1, 2], center: false, scale: false, name: `${name}_norm` })
    const relu = layers.layers.activation({ activation: 'relu', name: `${name}_relu` })
    return one(relu.apply(one(norm.apply(one(convolved.apply(x))))))
  }
  const block = (x: Symbolic, filters: number, name: string): Symbolic =>
    convolution(convolution(x, filters, `${name}_1`), filters, `${name}_2`)

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
    const up = one(layers.layers.upSampling2d({ size: [2, 2], name: `upsample${level}` }).apply(x))
    const joined = one(layers.layers.concatenate({ name: `join${level}` }).apply([skip, up]))
    x = block(joined, base * 2 ** level, `up${level}`)
  }
  const head = layers.layers.conv2d({
    filters: classes,
    kernelSize: 1,
    name: HEAD_NAME,
    kernelInitializer: layers.initializers.glorotNormal({ seed: seed + count }),
  })
  return layers.model({ inputs: image, outputs: one(head.apply(x)), name: 'unet' })
}

function one(applied: tf.Tensor | tf.Tensor[] | Symbolic | Symbolic[]): Symbolic {
  if (applied instanceof layers.SymbolicTensor) return applied
  throw new Error('A layer applied to a symbolic tensor gives one symbolic tensor.')
}
