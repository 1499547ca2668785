import { forwardPass, passInTraining } from './forwardPass.ts'
import { predictPictures } from './pictures.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { InferenceSettings } from '../../core/contract/recipes.ts'
import type { NetworkSlice } from '../recipes/types.ts'
import type { Activation } from './gathering.ts'

export interface PreparedOptions extends Partial<Pick<InferenceSettings, 'flips' | 'quarterTurns' | 'overlap'>> {
  /** `none`: the network's own values, logits; otherwise probabilities. */
  readonly activation: Activation
  /** The network is trained meanwhile, and its weights change. */
  readonly training?: boolean
  readonly signal?: AbortSignal
}

/** What a network gives for a picture: channels x height x width, of the picture's own size. */
export interface PreparedPrediction {
  readonly width: number
  readonly height: number
  readonly channels: number
  readonly values: Float32Array
}

/**
 * Runs a network over pictures that are prepared already, as the validation of a training does: mirrored where the network
 * needs more than there is, in tiles where memory asks for them, without what comes after. All results are held: give it
 * some slices at a time. Throws as runNetwork does.
 */
export async function predictPrepared(
  network: LayersModel,
  step: number,
  slices: readonly Pick<NetworkSlice, 'width' | 'height' | 'channels' | 'image'>[],
  { activation, flips = 'none', quarterTurns = false, overlap = 0.25, training = false, signal }: PreparedOptions,
): Promise<PreparedPrediction[]> {
  const results: PreparedPrediction[] = []
  await predictPictures(
    network,
    step,
    { sizes: slices, channels: slices[0]?.channels ?? 1, image: (i) => slices[i]?.image ?? new Float32Array() },
    (i, values, channels) => {
      const { width = 0, height = 0 } = slices[i] ?? {}
      results.push({ width, height, channels, values })
    },
    { activation, flips, quarterTurns, overlap },
    { pass: training ? passInTraining : forwardPass, ...(signal === undefined ? {} : { signal }) },
  )
  return results
}
