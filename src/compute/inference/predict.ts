import { normalizedSlice } from '../data/intensity.ts'
import { preparedSlice } from '../foreign/prepare.ts'
import { runNetwork } from './network.ts'
import type { ComputeSlice } from '../../core/contract/compute.ts'
import type { AnyModel } from '../models/cache.ts'
import type { RunOptions, TileSink } from './network.ts'

export { runNetwork } from './network.ts'
export { nextTurn, stopIfCancelled } from './turns.ts'

export interface PredictedSlice {
  readonly index: number
  /** height x width label values, x fastest. */
  readonly labels: Uint8Array<ArrayBuffer>
}

/**
 * Predicts slices: for each, in the order given, one label value a pixel (height x width, x fastest).
 * Ties go to the lower channel, background first. Throws as runNetwork does; there are no labels then.
 */
export async function predictSlices(
  model: AnyModel,
  slices: readonly ComputeSlice[],
  options: RunOptions = {},
): Promise<PredictedSlice[]> {
  const { card } = model
  const network = 'network' in model ? model.network : model.foreign
  const results = slices.map(({ index, width, height }) => ({ index, labels: new Uint8Array(width * height) }))
  const values = Uint8Array.from([0, ...card.labels.map(({ value }) => value)])
  const image = (i: number): Float32Array => {
    const slice = slices[i]
    if (slice === undefined) throw new Error('There is no such slice.')
    return 'network' in model ? normalizedSlice(slice) : preparedSlice(slice, card.input, model.foreign.channels)
  }
  const sink: TileSink = (slice, { input, keep }, logits, classes) => {
    const labels = results[slice]?.labels
    const width = slices[slice]?.width ?? 0
    if (labels === undefined) return
    for (let y = keep.top; y < keep.top + keep.height; y++) {
      let at = ((y - input.top) * input.width + (keep.left - input.left)) * classes
      const end = y * width + keep.left + keep.width
      for (let to = y * width + keep.left; to < end; to++, at += classes) {
        labels[to] = values[argmax(logits, at, classes)] ?? 0
      }
    }
  }
  await runNetwork(network, card.architecture.step, slices, image, sink, { model: card.name, ...options })
  return results
}

export function argmax(values: Float32Array, at: number, count: number): number {
  let best = 0
  let top = values[at] ?? 0
  for (let c = 1; c < count; c++) {
    const value = values[at + c] ?? 0
    if (value > top) {
      top = value
      best = c
    }
  }
  return best
}
