import * as tf from '@tensorflow/tfjs-core'
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
}

/**
 * A plain U-Net over [n, h, w, 1] in [0, 1] with h and w multiples of 2^levels, giving logits [n, h, w, classes].
 * Two 3x3 convolutions with ReLU a block (He initialization), max pooling, nearest up-sampling, skips by concatenation.
 * No normalization layer: nothing then depends on what else is in the batch, and a slice predicts the same alone.
 */
export function buildUNet({ levels, base, classes, seed }: UNetOptions): layers.LayersModel {
  let count = 0
  const convolution = (x: layers.SymbolicTensor, filters: number, name: string) =>
    one(
      layers.layers
        .conv2d({
          filters,
          kernelSize: 3,
          padding: 'same',
          activation: 'relu',
          kernelInitializer: layers.initializers.heNormal({ seed: seed + count++ }),
          name,
        })
        .apply(x),
    )
  const block = (x: layers.SymbolicTensor, filters: number, name: string) =>
    convolution(convolution(x, filters, `${name}_1`), filters, `${name}_2`)

  const image = layers.input({ shape: [null, null, 1], name: 'image' })
  const skips: layers.SymbolicTensor[] = []
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
  const logits = one(
    layers.layers
      .conv2d({
        filters: classes,
        kernelSize: 1,
        name: HEAD_NAME,
        kernelInitializer: layers.initializers.glorotNormal({ seed: seed + count }),
      })
      .apply(x),
  )
  return layers.model({ inputs: image, outputs: logits, name: 'unet' })
}

/** The layer whose channels stand for the labels; it grows with them. */
export const HEAD_NAME = 'logits'

function one(
  applied: tf.Tensor | tf.Tensor[] | layers.SymbolicTensor | layers.SymbolicTensor[],
): layers.SymbolicTensor {
  if (applied instanceof layers.SymbolicTensor) return applied
  throw new Error('A layer applied to a symbolic tensor gives one symbolic tensor.')
}
