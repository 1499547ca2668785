import * as layers from '@tensorflow/tfjs-layers'
import { CodedError } from '../../core/contract/errors.ts'
import { createBlocks, one } from './blocks.ts'
import { cropping2d } from './cropping.ts'
import { INCEPTION_LEAST, inceptionBlock } from './inception.ts'
import { cropAt } from './sizes.ts'
import type { Normalization, Symbolic, Upsampling } from './blocks.ts'

export type { Normalization, Upsampling } from './blocks.ts'

/** What a card says of a network that can be built here, and what distinguishes networks of one size. */
interface UNetKind {
  readonly normalization: Normalization
  readonly upsampling: Upsampling
  /** Contracting path: two convolutions a level, or Inception blocks. 'convolutions' unless given. */
  readonly contracting?: 'convolutions' | 'inception'
  /** Channels of the images; 1 unless given. */
  readonly inputChannels?: 1 | 3 | undefined
  /** `valid`: the result is smaller than the image (models/sizes.ts). 'same' unless given. */
  readonly convolutions?: 'same' | 'valid' | undefined
  /** Share of values dropped in training at the end of the contracting path, its two deepest levels; 0 unless given. */
  readonly dropout?: number | undefined
}

export interface UNetOptions extends UNetKind {
  /** Number of down-samplings; inputs are multiples of 2^levels, or what models/sizes.ts says of valid convolutions. */
  readonly levels: number
  /** Channels of the first level; doubled at each level below. */
  readonly base: number
  /** Output channels: background and one a label, or as the recipe's output has it. */
  readonly classes: number
  /** Of the initial weights; the same seed gives the same network. */
  readonly seed: number
}

/** What the card calls networks: the first two, by their normalization alone, in cards that name no option. */
export const UNET_KINDS = { normalized: 'unet-norm', plain: 'unet', inception: 'unet-inception' } as const

/** The layer whose channels stand for the labels; it grows with them. */
export const HEAD_NAME = 'logits'

/** What the layers of the contracting path are called, its deepest level included. */
const CONTRACTING = /^(?:down\d+|middle)_/

/** Whether a layer, or a weight by its full name, belongs to the contracting path. */
export function isContracting(name: string): boolean {
  return CONTRACTING.test(name)
}

/** The options that a card's architecture stands for, or null when it is no network that can be built here. */
export function unetOptions(
  architecture: Partial<Pick<UNetKind, 'inputChannels' | 'convolutions' | 'dropout'>> & {
    readonly name: string
    readonly normalization?: Normalization | undefined
    readonly upsampling?: Upsampling | undefined
  },
): Required<{ [K in keyof UNetKind]: NonNullable<UNetKind[K]> }> | null {
  const { name, normalization, upsampling, inputChannels = 1, convolutions = 'same', dropout = 0 } = architecture
  if (!Object.values<string>(UNET_KINDS).includes(name)) return null
  const byName = name === UNET_KINDS.normalized ? 'instance' : 'none'
  return {
    normalization: normalization ?? byName,
    upsampling: upsampling ?? 'nearest',
    contracting: name === UNET_KINDS.inception ? 'inception' : 'convolutions',
    inputChannels,
    convolutions,
    dropout,
  }
}

/**
 * A U-Net over images [n, h, w, c] that gives logits [n, h, w, classes]: two 3x3 convolutions with ReLU a level (He
 * initialization), or two Inception blocks in the contracting path (models/inception.ts; the very first is a convolution),
 * max pooling, up-sampling, skips by concatenation. Heights and widths are multiples of 2^levels; with valid convolutions
 * those that models/sizes.ts gives, the skips are cut to their middle, and the result is smaller.
 * Normalizations, all written as layers that any TensorFlow.js reads, but the one named:
 * - instance: without scale and shift. It looks at one image alone: a slice predicts the same whatever else is in the
 *   batch, and training at batch size 1 works.
 * - group: with scale and shift, of one image alone too (the layer of groupNormalization.ts).
 * - batch: with scale and shift; statistics of the batch in training, moving ones in prediction.
 * Up-sampling repeats pixels, or is a transposed 2x2 convolution of stride 2 that halves the channels.
 * The network of the paper (Ronneberger et al., arXiv 1505.04597): levels 4, base 64, valid, none, transposed, 2 classes.
 * Throws CodedError('bad-request') for Inception blocks of too few channels, or with valid convolutions.
 */
export function buildUNet(options: UNetOptions): layers.LayersModel {
  const { levels, base, classes, inputChannels = 1, convolutions = 'same', dropout = 0 } = options
  const inception = options.contracting === 'inception'
  if (inception && convolutions === 'valid') {
    throw new CodedError('bad-request', 'A U-Net with Inception blocks has no valid convolutions; choose same ones.')
  }
  if (inception && base < INCEPTION_LEAST) {
    throw new CodedError('bad-request', `A U-Net with Inception blocks needs a base of ${INCEPTION_LEAST} or more.`)
  }
  const blocks = createBlocks({ ...options, convolutions, dropout })
  const block = (x: Symbolic, filters: number, name: string): Symbolic =>
    blocks.convolution(blocks.convolution(x, filters, `${name}_1`), filters, `${name}_2`)
  const contract = (x: Symbolic, level: number, name: string): Symbolic => {
    const filters = base * 2 ** level
    if (!inception) return block(x, filters, name)
    const first =
      level === 0 ? blocks.convolution(x, filters, `${name}_1`) : inceptionBlock(blocks, x, filters, `${name}_1`)
    return inceptionBlock(blocks, first, filters, `${name}_2`)
  }

  const image = layers.input({ shape: [null, null, inputChannels], name: 'image' })
  const skips: Symbolic[] = []
  let x = image
  for (let level = 0; level < levels; level++) {
    const whole = contract(x, level, `down${level}`)
    const skip = level === levels - 1 ? blocks.dropout(whole, `down${level}_dropout`) : whole
    skips.push(skip)
    x = one(layers.layers.maxPooling2d({ poolSize: 2, name: `pool${level}` }).apply(skip))
  }
  x = blocks.dropout(contract(x, levels, 'middle'), 'middle_dropout')
  for (let level = levels - 1; level >= 0; level--) {
    const skip = skips[level]
    if (skip === undefined) throw new Error('Every level has its skip.')
    const filters = base * 2 ** level
    const up = blocks.upsample(x, filters, `upsample${level}`)
    const crop = convolutions === 'valid' ? cropAt(level, levels) : 0
    const cut = crop === 0 ? skip : one(cropping2d({ by: crop, name: `crop${level}` }).apply(skip))
    const joined = one(layers.layers.concatenate({ name: `join${level}` }).apply([cut, up]))
    x = block(joined, filters, `up${level}`)
  }
  return layers.model({ inputs: image, outputs: blocks.head(x, classes, HEAD_NAME), name: 'unet' })
}
