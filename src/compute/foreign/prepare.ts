import { readSamples } from '../data/intensity.ts'
import type { ComputeSlice } from '../../core/contract/compute.ts'
import type { NetworkInput } from '../../core/contract/network.ts'

/**
 * A slice as a network from elsewhere takes it: channels x height x width numbers, prepared as the card says (`input`).
 * A grey slice has the same in all three channels. Samples that are no numbers, or infinite, become 0.
 * Throws CodedError('bad-request') when the bytes do not hold what the slice says.
 */
export function preparedSlice(
  slice: Omit<ComputeSlice, 'index'>,
  { colour, normalization, standardize }: NetworkInput,
  channels: number,
): Float32Array {
  const { width, height, slope, inter, channels: stored } = slice
  const pixels = width * height
  const samples = readSamples(slice.data, slice.voxelType, pixels * stored)
  const weights = colour.kind === 'luminance' ? colour.weights : null
  const [red, green, blue] = weights ?? [1, 0, 0]
  const prepared = new Float32Array(channels * pixels)
  const scaling = scalingOf(slice, normalization)
  for (let c = 0; c < channels; c++) {
    const from = stored === 3 && weights === null ? c : 0
    for (let i = 0; i < pixels; i++) {
      const at = i * stored
      const raw =
        stored === 3 && weights !== null
          ? red * (samples[at] ?? 0) + green * (samples[at + 1] ?? 0) + blue * (samples[at + 2] ?? 0)
          : (samples[at + from] ?? 0)
      const value = (raw * slope + inter - scaling.from) / scaling.extent
      const clipped = scaling.clipped ? Math.min(Math.max(value, 0), 1) : value
      prepared[c * pixels + i] = Number.isFinite(clipped) ? clipped : 0
    }
  }
  if (normalization.kind === 'zscore') standardizeBy(prepared, 0, prepared.length, statistics(prepared))
  if (standardize !== undefined) {
    for (let c = 0; c < channels; c++) {
      const mean = standardize.mean[c] ?? standardize.mean[0] ?? 0
      const deviation = standardize.deviation[c] ?? standardize.deviation[0] ?? 1
      standardizeBy(prepared, c * pixels, (c + 1) * pixels, { mean, deviation })
    }
  }
  return prepared
}

/** (value - from) / extent, between 0 and 1 where it is clipped. */
function scalingOf(
  { low, high }: Pick<ComputeSlice, 'low' | 'high'>,
  normalization: NetworkInput['normalization'],
): { from: number; extent: number; clipped: boolean } {
  const between = (from: number, to: number) => ({ from, extent: to > from ? to - from : Infinity, clipped: true })
  switch (normalization.kind) {
    case 'percentile':
      return between(low, high)
    case 'window':
      return between(normalization.from, normalization.to)
    case 'zscore':
    case 'none':
      return { from: 0, extent: 1, clipped: false }
  }
}

interface Statistics {
  readonly mean: number
  readonly deviation: number
}

function statistics(values: Float32Array): Statistics {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
  // One intensity throughout: it becomes 0.
  return { mean, deviation: variance > 0 ? Math.sqrt(variance) : 1 }
}

function standardizeBy(values: Float32Array, begin: number, end: number, { mean, deviation }: Statistics): void {
  for (let i = begin; i < end; i++) values[i] = ((values[i] ?? 0) - mean) / deviation
}
