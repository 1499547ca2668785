import * as tf from '@tensorflow/tfjs-core'
import { CodedError } from '../../core/contract/errors.ts'
import { readFloats } from '../runtime/tensors.ts'
import { buildUNet, HEAD_NAME, unetOptions } from './unet.ts'
import { createRandom, randomNormal } from '../data/random.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { ModelCard } from '../../core/contract/compute.ts'
import type { Handling } from '../../core/contract/modelCard.ts'
import type { LoadedModel } from './files.ts'

type Labels = ModelCard['labels']

/** How much less likely than background a new label starts, as a difference of logits. */
const NEW_LABEL_BIAS = -1
/** Values that are cut at 0 learn nothing below. */
const NEW_VALUE_BIAS = 0.1

/**
 * A network for `labels` that knows what its parent knew: all weights are copied, and in the head those of background, of the
 * border of objects, and of the labels that both have (by value). A new label starts as background does, a little less
 * likely: at first nothing changes in what is predicted, and its gradient is large where it is painted. Where background has
 * no channel, it starts as unlikely as lets it learn.
 * The parent is not changed. Throws CodedError('bad-file') when it is no network of ours to extend.
 */
export async function extendNetwork(parent: LoadedModel, labels: Labels, seed: number): Promise<LayersModel> {
  const { architecture, handling } = parent.card
  const kind = unetOptions(architecture)
  if (kind === null) {
    throw new CodedError('bad-file', `Models of the kind ${architecture.name} can predict but not be trained here.`)
  }
  const classes = channelsOf(labels, handling).length
  const network = buildUNet({ ...architecture, ...kind, classes, seed })
  try {
    await takeWeights(network, parent, labels, seed)
    return network
  } catch (error) {
    network.dispose()
    throw error
  }
}

type Channel = number | 'background' | 'border'

/** What the output channels of a network stand for: background, values of labels, the border of objects. */
function channelsOf(labels: Labels, handling: Handling | undefined): Channel[] {
  const exclusive = handling === undefined || handling.output === 'softmax'
  return [
    ...(exclusive ? (['background'] as const) : []),
    ...labels.map(({ value }) => value),
    ...(handling?.border === true ? (['border'] as const) : []),
  ]
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
    const { handling } = parent.card
    const [had, has] = [channelsOf(parent.card.labels, handling), channelsOf(labels, handling)]
    const start = handling?.output === 'relu' ? NEW_VALUE_BIAS : NEW_LABEL_BIAS
    const head = await headWeights(old.getWeights(), had, has, { start, seed })
    layer.setWeights(head)
    tf.dispose(head)
  }
}

/** Columns of the new head: [1, 1, c, channels] and its bias. */
async function headWeights(
  old: tf.Tensor[],
  had: readonly Channel[],
  has: readonly Channel[],
  { start, seed }: { readonly start: number; readonly seed: number },
): Promise<tf.Tensor[]> {
  const [kernel, bias] = old
  if (kernel === undefined || bias === undefined) throw new Error('The head has a kernel and a bias.')
  const random = createRandom(seed)
  const channels = kernel.shape[2] ?? 0
  const [oldClasses, classes] = [had.length, has.length]
  const oldKernel = await readFloats(kernel)
  const oldBias = await readFloats(bias)
  const newKernel = new Float32Array(channels * classes)
  const newBias = new Float32Array(classes)
  has.forEach((channel, column) => {
    const known = had.indexOf(channel)
    const isNew = known < 0
    // Of background, where it has a channel; the parent's weights of other labels would make it what they are.
    const source = isNew ? had.indexOf('background') : known
    newBias[column] = (oldBias[source] ?? 0) + (isNew ? start : 0)
    for (let c = 0; c < channels; c++) {
      const noise = isNew ? 0.05 * randomNormal(random) : 0
      newKernel[c * classes + column] = (source < 0 ? 0 : (oldKernel[c * oldClasses + source] ?? 0)) + noise
    }
  })
  return [tf.tensor(newKernel, [1, 1, channels, classes]), tf.tensor(newBias, [classes])]
}
