import { marginOf } from './sizes.ts'
import { buildUNet, UNET_KINDS } from './unet.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { ModelCard } from '../../core/contract/compute.ts'
import type { ModelSettings } from '../../core/contract/recipes.ts'

export interface RecipeNetwork {
  /** The caller's to dispose. */
  readonly network: LayersModel
  /** Sizes that it takes: models/sizes.ts. */
  readonly architecture: ModelCard['architecture']
}

interface Shape {
  readonly channels: 1 | 3
  readonly outputs: number
  readonly seed: number
}

/**
 * A new network by a recipe's settings, and how its card describes it. The weights of `encoder` are not read here
 * (models/encoder.ts). Throws CodedError('bad-request') for settings that do not go together.
 */
export function buildRecipeNetwork(settings: ModelSettings, { channels, outputs, seed }: Shape): RecipeNetwork {
  const { kind, levels, base, convolutions, normalization, upsampling, dropout } = settings
  const network = buildUNet({
    ...{ levels, base, classes: outputs, seed, normalization, upsampling, convolutions, dropout },
    contracting: kind === UNET_KINDS.inception ? 'inception' : 'convolutions',
    inputChannels: channels,
  })
  const architecture: ModelCard['architecture'] = {
    ...{ name: kind, levels, base, inputChannels: channels, step: 2 ** levels, normalization, upsampling },
    ...(convolutions === 'valid' ? { convolutions, margin: marginOf({ levels, convolutions }) } : {}),
    ...(dropout > 0 ? { dropout } : {}),
  }
  return { network, architecture }
}
