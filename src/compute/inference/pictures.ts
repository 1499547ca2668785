import { copied, copiesOf } from './copies.ts'
import { Gathering } from './gathering.ts'
import { runNetwork } from './network.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { InferenceSettings } from '../../core/contract/recipes.ts'
import type { Size } from '../data/resize.ts'
import type { Activation } from './gathering.ts'
import type { RunOptions } from './network.ts'
import type { Runnable } from './runnable.ts'

/** Pictures of the network's own size, read when they are needed. */
export interface Pictures {
  readonly sizes: readonly Size[]
  readonly channels: number
  /** channels x height x width. */
  readonly image: (index: number) => Float32Array | Promise<Float32Array>
}

export interface Averaging extends Pick<InferenceSettings, 'flips' | 'quarterTurns' | 'overlap'> {
  readonly activation: Activation
}

/**
 * Receives what a network gives for a picture, averaged: channels x height x width; and, of passes that tell them, the mean of
 * its features over copies and tiles, else null.
 */
export type PictureSink = (
  index: number,
  values: Float32Array,
  channels: number,
  features: Float32Array<ArrayBuffer> | null,
) => void

/**
 * Runs a network over pictures, with their mirrored and turned copies, in tiles where memory asks for them, and gives the
 * averages to `sink`, picture by picture in order. Throws as runNetwork does; pictures that were given before are whole.
 */
export async function predictPictures(
  network: LayersModel | Runnable,
  step: number,
  { sizes, channels, image }: Pictures,
  sink: PictureSink,
  { activation, overlap, ...mirrored }: Averaging,
  options: Omit<RunOptions, 'overlap'> = {},
): Promise<void> {
  const runs = sizes.flatMap((size, picture) => copiesOf(size, mirrored).map((copy) => ({ picture, copy })))
  const copies = sizes.length === 0 ? 1 : runs.length / sizes.length
  let held: { picture: number; values: Float32Array } | null = null
  const read = async (index: number): Promise<Float32Array> => {
    const run = runs[index]
    if (run === undefined) throw new Error('There is no such picture.')
    if (held?.picture !== run.picture) held = { picture: run.picture, values: await image(run.picture) }
    return copied(held.values, channels, run.copy)
  }
  let current: { picture: number; gathering: Gathering; features: FeatureMean; outputs: number } | null = null
  const finish = (): void => {
    if (current !== null) sink(current.picture, current.gathering.finish(), current.outputs, current.features.finish())
    current = null
  }
  await runNetwork(
    network,
    step,
    runs.map(({ copy }) => copy),
    read,
    (index, tile, values, outputs, features) => {
      const run = runs[index]
      const size = run === undefined ? undefined : sizes[run.picture]
      if (run === undefined || size === undefined) return
      if (current?.picture !== run.picture) {
        finish()
        const gathering = new Gathering(size, outputs, activation, copies)
        current = { picture: run.picture, gathering, features: featureMean(), outputs }
      }
      if (features !== null) current.features.add(features, tile.keep.width * tile.keep.height)
      current.gathering.add(run.copy, tile, values)
    },
    { ...options, overlap },
  )
  finish()
}

interface FeatureMean {
  add(features: Float32Array, pixels: number): void
  /** null where none came. */
  finish(): Float32Array<ArrayBuffer> | null
}

/** Each tile counts as many pixels as are kept of it. */
function featureMean(): FeatureMean {
  let sums: Float64Array | null = null
  let count = 0
  return {
    add(features, pixels) {
      sums ??= new Float64Array(features.length)
      for (let i = 0; i < features.length; i++) sums[i] = (sums[i] ?? 0) + pixels * (features[i] ?? 0)
      count += pixels
    },
    finish: () => (sums === null ? null : Float32Array.from(sums, (sum) => sum / count)),
  }
}
