import { normalizedSlice } from '../data/intensity.ts'
import { preparePicture } from '../data/prepare.ts'
import { networkSize, resizePlanes } from '../data/resize.ts'
import { preparedSlice } from '../foreign/prepare.ts'
import { entropyOf, foldedClasses, labelsOf, outputMeaning } from './meaning.ts'
import { runNetwork } from './network.ts'
import { predictPictures } from './pictures.ts'
import { tidyLabels } from './tidying.ts'
import type { ComputeSlice } from '../../core/contract/compute.ts'
import type { AnyModel } from '../models/cache.ts'
import type { RunOptions, TileSink } from './network.ts'

export { runNetwork } from './network.ts'
export { nextTurn, stopIfCancelled } from './turns.ts'

export interface PredictedSlice {
  readonly index: number
  /** height x width label values, x fastest. */
  readonly labels: Uint8Array<ArrayBuffer>
  /** 0 sure to 255 all classes equally likely, where it was asked for. */
  readonly entropy?: Uint8Array<ArrayBuffer>
}

export interface SliceOptions extends RunOptions {
  readonly entropy?: boolean
}

/**
 * Predicts slices: for each, in the order given, one label value a pixel (height x width, x fastest).
 * Ties go to the lower channel, background first. A recipe's model resizes, mirrors and leaves out small parts as its card
 * says, slice by slice; what needs the whole volume (its other planes, its largest parts) is predictImage's. Throws as
 * runNetwork does; there are no labels then.
 */
export async function predictSlices(
  model: AnyModel,
  slices: readonly ComputeSlice[],
  { entropy = false, ...options }: SliceOptions = {},
): Promise<PredictedSlice[]> {
  return entropy || model.card.handling !== undefined
    ? await predictByCard(model, slices, entropy, options)
    : await predictPlainly(model, slices, options)
}

async function predictByCard(
  model: AnyModel,
  slices: readonly ComputeSlice[],
  entropy: boolean,
  options: RunOptions,
): Promise<PredictedSlice[]> {
  const { card } = model
  const meaning = outputMeaning(model)
  const { activation, inference, resize } = meaning
  const channels = 'network' in model ? card.architecture.inputChannels : model.foreign.channels
  const results: PredictedSlice[] = []
  await predictPictures(
    'network' in model ? model.network : model.foreign,
    card.architecture.step,
    {
      sizes: slices.map((slice) => networkSize(slice, resize)),
      channels: channels === 3 ? 3 : 1,
      image: (i) => preparePicture(sliceAt(slices, i), card.input, channels === 3 ? 3 : 1, resize).image,
    },
    (i, values, outputs) => {
      const slice = sliceAt(slices, i)
      const pixels = slice.width * slice.height
      const whole = resizePlanes(values, outputs, networkSize(slice, resize), slice)
      const folded = foldedClasses(whole, pixels, meaning)
      const labels = labelsOf(folded, pixels, meaning)
      tidyLabels(labels, [slice.width, slice.height], { ...inference, largestComponent: false })
      const doubt = entropy
        ? Uint8Array.from(entropyOf(folded, pixels, meaning), (share) => Math.round(255 * share))
        : null
      results.push({ index: slice.index, labels, ...(doubt === null ? {} : { entropy: doubt }) })
    },
    { activation, ...inference },
    { model: card.name, ...options },
  )
  return results
}

/** The largest of the network's own values says the label: no probabilities are needed for that. */
async function predictPlainly(
  model: AnyModel,
  slices: readonly ComputeSlice[],
  options: RunOptions,
): Promise<PredictedSlice[]> {
  const { card } = model
  const network = 'network' in model ? model.network : model.foreign
  const results = slices.map(({ index, width, height }) => ({ index, labels: new Uint8Array(width * height) }))
  const values = Uint8Array.from([0, ...card.labels.map(({ value }) => value)])
  const image = (i: number): Float32Array => {
    const slice = sliceAt(slices, i)
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

function sliceAt(slices: readonly ComputeSlice[], i: number): ComputeSlice {
  const slice = slices[i]
  if (slice === undefined) throw new Error('There is no such slice.')
  return slice
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
