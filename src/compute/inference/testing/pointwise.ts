import * as tf from '@tensorflow/tfjs-core'
import * as layers from '@tensorflow/tfjs-layers'
import { inferenceSettingsSchema } from '../../../core/contract/recipes.ts'
import { modelCard } from '../../models/card.ts'
import type { ModelCard } from '../../../core/contract/compute.ts'
import type { LoadedModel } from '../../models/files.ts'

type Handling = NonNullable<ModelCard['handling']>

const plain: Handling = {
  resize: { kind: 'none' },
  output: 'softmax',
  border: false,
  inference: inferenceSettingsSchema.parse({}),
  instances: null,
}

/** One 1 x 1 convolution: every pixel's values are known. `weights`: channels x outputs. */
export function pointwise(
  weights: number[][],
  bias: number[],
  values: number[],
  handling: Partial<Handling> = {},
  step = 1,
): LoadedModel {
  const channels = weights.length === 3 ? 3 : 1
  const network = layers.sequential({
    layers: [layers.layers.conv2d({ inputShape: [null, null, channels], filters: bias.length, kernelSize: 1 })],
  })
  const kernel = tf.tensor4d(weights.flat(), [1, 1, channels, bias.length])
  const offsets = tf.tensor1d(bias)
  network.setWeights([kernel, offsets])
  tf.dispose([kernel, offsets])
  const architecture = { name: 'pointwise', levels: 0, base: 1, inputChannels: channels, step } as const
  const labels = values.map((value) => ({ value, name: `Label ${value}` }))
  const identity = { id: 'p', parentId: null, name: 'P', createdAt: 'now', labels }
  const card: ModelCard = {
    ...modelCard(identity, { network, architecture, training: null }),
    format: 4,
    handling: { ...plain, ...handling },
    input: {
      colour: channels === 3 ? { kind: 'rgb' } : { kind: 'luminance', weights: [0.299, 0.587, 0.114] },
      normalization: { kind: 'window', from: 0, to: 255 },
    },
  }
  return { network, card }
}

/** Label 7 above one half. */
export function threshold(handling: Partial<Handling> = {}, step = 1): LoadedModel {
  return pointwise([[0, 8]], [0, -4], [7], handling, step)
}
