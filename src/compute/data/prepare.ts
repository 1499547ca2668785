import { PERCENTILE_INPUT } from '../../core/contract/modelCard.ts'
import { preparedSlice } from '../foreign/prepare.ts'
import { networkSize, resizePlanes } from './resize.ts'
import type { ComputeSlice } from '../../core/contract/compute.ts'
import type { NetworkInput } from '../../core/contract/network.ts'
import type { InputSettings } from '../../core/contract/recipes.ts'

/** Mean and deviation of each channel over the training part. */
export interface Statistics {
  readonly mean: readonly number[]
  readonly deviation: readonly number[]
}

export interface PreparedPicture {
  readonly width: number
  readonly height: number
  /** channels x height x width. */
  readonly image: Float32Array
}

/** What the card says of the input; `fitted` needs the statistics. */
export function networkInput({ colour, normalization }: InputSettings, fitted: Statistics | null): NetworkInput {
  const base = { colour: colour === 'rgb' ? { kind: 'rgb' as const } : PERCENTILE_INPUT.colour }
  switch (normalization.kind) {
    case 'percentile':
      return { ...base, normalization: PERCENTILE_INPUT.normalization }
    case 'zscore':
      return { ...base, normalization: { kind: 'zscore', over: 'slice' } }
    case 'window':
      return { ...base, normalization: normalization }
    case 'none':
      return { ...base, normalization: { kind: 'none' } }
    case 'fitted':
      if (fitted === null) throw new Error('networkInput: the statistics are missing')
      return {
        ...base,
        normalization: { kind: 'none' },
        standardize: { mean: [...fitted.mean], deviation: [...fitted.deviation] },
      }
  }
}

/**
 * A slice as a network of a recipe takes it: intensities prepared as the card says, then resized. Trainings and predictions
 * both go through here, so that both see the same numbers. Throws as preparedSlice does.
 */
export function preparePicture(
  slice: Omit<ComputeSlice, 'index'>,
  input: NetworkInput,
  channels: 1 | 3,
  resize: InputSettings['resize'],
): PreparedPicture {
  const size = networkSize(slice, resize)
  return { ...size, image: resizePlanes(preparedSlice(slice, input, channels), channels, slice, size) }
}
