import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import * as layers from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { buildUNet } from '../models/unet.ts'
import { reachOf } from './receptiveField.ts'

const { conv2d, conv2dTranspose, maxPooling2d, upSampling2d, layerNormalization } = layers.layers

function stack(...all: layers.layers.Layer[]): layers.Sequential {
  return layers.sequential({ layers: all })
}

const image = { inputShape: [null, null, 1] }

describe('reachOf', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu')
  })

  it('adds up kernels, dilations and what lies below poolings', () => {
    expect(reachOf(stack(conv2d({ ...image, filters: 1, kernelSize: 1 })))).toEqual({ pixels: 0, local: 0 })
    expect(
      reachOf(stack(conv2d({ ...image, filters: 1, kernelSize: 3 }), conv2d({ filters: 1, kernelSize: 5 }))),
    ).toEqual({
      ...{ pixels: 3, local: 3 },
    })
    expect(reachOf(stack(conv2d({ ...image, filters: 1, kernelSize: 3, dilationRate: 4 })))).toEqual({
      ...{ pixels: 4, local: 4 },
    })
    // 1, then a pool of 2 (1 to one side), then 1 at half the resolution (2), and up again.
    const pooled = stack(
      conv2d({ ...image, filters: 1, kernelSize: 3 }),
      maxPooling2d({ poolSize: 2 }),
      conv2d({ filters: 1, kernelSize: 3 }),
      upSampling2d({ size: [2, 2] }),
    )
    expect(reachOf(pooled)).toEqual({ pixels: 4, local: 4 })
  })

  it('knows our U-Nets: two 3x3 convolutions a block, down and up', () => {
    // Three levels: (2 + 1) + (4 + 2) + (8 + 4) + 16 + 8 + 4 + 2.
    const options = { levels: 3, base: 2, classes: 2, seed: 1 } as const
    const plain = buildUNet({ ...options, normalization: 'none', upsampling: 'nearest' })
    expect(reachOf(plain)).toEqual({ pixels: 51, local: 51 })
    const batch = buildUNet({ ...options, normalization: 'batch', upsampling: 'transposed' })
    expect(reachOf(batch)).toEqual({ pixels: 51, local: 51 })
    for (const normalization of ['instance', 'group'] as const) {
      const network = buildUNet({ ...options, normalization, upsampling: 'nearest' })
      expect(reachOf(network)).toEqual({ pixels: Infinity, local: 51 })
    }
  })

  it('takes what it does not know for looking at everything', () => {
    const network = stack(
      conv2d({ ...image, filters: 2, kernelSize: 3 }),
      layerNormalization({ axis: [1, 2], center: false, scale: false }),
    )
    expect(reachOf(network)).toEqual({ pixels: Infinity, local: 1 })
  })

  it('counts transposed convolutions at the resolution that they read', () => {
    const network = stack(
      conv2d({ ...image, filters: 1, kernelSize: 2, strides: 2 }),
      conv2dTranspose({ filters: 1, kernelSize: 4, strides: 2, padding: 'same' }),
    )
    expect(reachOf(network)).toEqual({ pixels: 3, local: 3 })
  })
})
