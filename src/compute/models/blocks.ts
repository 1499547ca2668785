import type * as tf from '@tensorflow/tfjs-core'
import * as layers from '@tensorflow/tfjs-layers'
import { groupNormalization, groupsFor } from './groupNormalization.ts'

/** What follows each convolution of a block, before its ReLU. */
export type Normalization = 'none' | 'instance' | 'group' | 'batch'

/** How a level's result is brought to the size of the level above. */
export type Upsampling = 'nearest' | 'transposed'

export type Symbolic = layers.SymbolicTensor

/** Layers with the options that a network has throughout; each new one draws its initial weights with the next seed. */
export interface Blocks {
  /** A square convolution with normalization and ReLU (He initialization). */
  convolution(x: Symbolic, filters: number, name: string, kernelSize?: number): Symbolic
  /** Twice as large. */
  upsample(x: Symbolic, filters: number, name: string): Symbolic
  dropout(x: Symbolic, name: string): Symbolic
  /** The logits. */
  head(x: Symbolic, classes: number, name: string): Symbolic
}

interface BlockOptions {
  readonly normalization: Normalization
  readonly upsampling: Upsampling
  readonly convolutions: 'same' | 'valid'
  readonly dropout: number
  readonly seed: number
}

/**
 * Batch statistics of the last ten steps or so make the moving ones: a training of a few dozen steps must get away from
 * the initial ones, which the usual 0.99 does not.
 */
const MOVING_MOMENTUM = 0.9

export function createBlocks({ normalization, upsampling, convolutions, dropout, seed }: BlockOptions): Blocks {
  let count = 0
  const nextSeed = (): number => seed + count++
  return {
    convolution(x, filters, name, kernelSize = 3) {
      const plain = normalization === 'none'
      const convolved = layers.layers.conv2d({
        filters,
        kernelSize,
        padding: convolutions,
        useBias: plain,
        activation: plain ? 'relu' : 'linear',
        kernelInitializer: layers.initializers.heNormal({ seed: nextSeed() }),
        name,
      })
      if (plain) return one(convolved.apply(x))
      const norm = normalizationLayer(normalization, filters, `${name}_norm`)
      const relu = layers.layers.activation({ activation: 'relu', name: `${name}_relu` })
      return one(relu.apply(one(norm.apply(one(convolved.apply(x))))))
    },
    upsample(x, filters, name) {
      if (upsampling === 'nearest') return one(layers.layers.upSampling2d({ size: [2, 2], name }).apply(x))
      const kernelInitializer = layers.initializers.heNormal({ seed: nextSeed() })
      const transposed = layers.layers.conv2dTranspose({ filters, kernelSize: 2, strides: 2, kernelInitializer, name })
      return one(transposed.apply(x))
    },
    dropout: (x, name) => (dropout === 0 ? x : one(layers.layers.dropout({ rate: dropout, name }).apply(x))),
    head(x, classes, name) {
      const kernelInitializer = layers.initializers.glorotNormal({ seed: nextSeed() })
      return one(layers.layers.conv2d({ filters: classes, kernelSize: 1, name, kernelInitializer }).apply(x))
    },
  }
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

export function one(applied: tf.Tensor | tf.Tensor[] | Symbolic | Symbolic[]): Symbolic {
  if (applied instanceof layers.SymbolicTensor) return applied
  throw new Error('A layer applied to a symbolic tensor gives one symbolic tensor.')
}
