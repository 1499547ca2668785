import * as tf from '@tensorflow/tfjs-core'
import { CodedError } from '../../core/contract/errors.ts'
import { readFloats } from '../runtime/tensors.ts'
import { buildUNet, HEAD_NAME, unetOptions } from './unet.ts'
import { createRandom, randomNormal } from '../data/random.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { ModelCard } from '../../core/contract/compute.ts'
import type { LoadedModel } from './files.ts'

type Labels = ModelCard['labels']

/** How much less likely than background a new label starts, as a difference of logits. */
const NEW_LABEL_BIAS = -1

/**
 * A network for `labels` that knows what its parent knew: all weights are copied, and in the head those of background
 * and of the labels that both have (by value). A new label starts as background does, a little less likely: at first
 * nothing changes in what is predicted, and its gradient is large where it is painted.
 * The parent is not changed. Throws CodedError('bad-file') when it is no network of ours to extend.
 */
export async function extendNetwork(parent: LoadedModel, labels: Labels, seed: number): Promise<LayersModel> {
  const { architecture } = parent.card
  const kind = unetOptions(architecture)
  if (kind === null) {
    throw new CodedError('bad-file', `Models of the kind ${architecture.name} can predict but not be trained here.`)
  }
  const network = buildUNet({ ...architecture, classes: labels.length + 1, seed, ...kind })
  try {
    await takeWeights(network, parent, labels, seed)
    return network
  } catch (error) {
    network.dispose()
    throw error
  }
}

async function takeWeights(network: LayersModel, parent: LoadedModel, labels: Labels, seed: number): Promise<void> {
  for (const layer of network.layers) {
    const old = parent.network.layers.find(({ name }) => name === layer.name)
    if (layer.weights.length === 0) continue
    if (old === undefined) throw new CodedError('bad-file', `The parent model has no layer ${layer.name}.`)
    if (layer.name !== HEAD_NAME) {
      layer.setWeights(old.getWeights())
      continue
    }
    const head = await headWeights(old.getWeights(), parent.card.labels, labels, seed)
    layer.setWeights(head)
    tf.dispose(head)
  }
}

/** Columns of the new head: [1, 1, c, labels + 1] and its bias. */
async function headWeights(old: tf.Tensor[], oldLabels: Labels, labels: Labels, seed: number): Promise<tf.Tensor[]> {
  const [kernel, bias] = old
  if (kernel === undefined || bias === undefined) throw new Error('The head has a kernel and a bias.')
  const random = createRandom(seed)
  const channels = kernel.shape[2] ?? 0
  const oldClasses = oldLabels.length + 1
  const classes = labels.length + 1
  const sources = [0, ...labels.map(({ value }) => oldLabels.findIndex((label) => label.value === value) + 1)]
  const oldKernel = await readFloats(kernel)
  const oldBias = await readFloats(bias)
  const newKernel = new Float32Array(channels * classes)
  const newBias = new Float32Array(classes)
  sources.forEach((source, column) => {
    const isNew = column > 0 && source === 0
    newBias[column] = (oldBias[source] ?? 0) + (isNew ? NEW_LABEL_BIAS : 0)
    for (let c = 0; c < channels; c++) {
      const noise = isNew ? 0.05 * randomNormal(random) : 0
      newKernel[c * classes + column] = (oldKernel[c * oldClasses + source] ?? 0) + noise
    }
  })
  return [tf.tensor(newKernel, [1, 1, channels, classes]), tf.tensor(newBias, [classes])]
}
