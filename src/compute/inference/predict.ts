import { normalizedSlice } from '../data/intensity.ts'
import { preparePicture } from '../data/prepare.ts'
import { networkSize, resizePlanes } from '../data/resize.ts'
import { preparedSlice } from '../foreign/prepare.ts'
import { doubtOfLogits, doubtOfShares } from './doubt.ts'
import { foldedClasses, labelsOf, outputMeaning } from './meaning.ts'
import { runNetwork } from './network.ts'
import { predictPictures } from './pictures.ts'
import { tidyLabels } from './tidying.ts'
import type { ComputeSlice } from '../../core/contract/compute.ts'
import type { AnyModel } from '../models/cache.ts'
import type { OutputMeaning } from './meaning.ts'
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
  // What networks from elsewhere give need not be what softmax takes.
  const plain = model.card.handling === undefined && (!entropy || 'network' in model)
  return plain
    ? await predictPlainly(model, slices, entropy, options)
    : await predictByCard(model, slices, entropy, options)
}

async function predictByCard(
  model: AnyModel,
  slices: readonly ComputeSlice[],
  entropy: boolean,
  options: RunOptions,
): Promise<PredictedSlice[]> {
  const meaning = outputMeaning(model)
  const results: PredictedSlice[] = []
  await eachByCard(model, slices, options, (slice, { folded }) => {
    const labels = tidied(slice, folded, meaning)
    results.push({ index: slice.index, labels, ...(entropy ? { entropy: doubtOf(slice, folded, meaning) } : {}) })
  })
  return results
}

/** What a network gives for a slice. */
export interface SliceOutput {
  /** Of the slice's own pixels, channel by channel as channelValues says: probabilities, nothing tidied. */
  readonly folded: Float32Array
  /** Of a pass that tells them; null otherwise. */
  readonly features: Float32Array<ArrayBuffer> | null
}

/**
 * Runs a model over slices as its card says, slice by slice, and hands over what it gives for each, in their order. `change`:
 * what is done to each picture before (channels x height x width).
 */
export async function eachByCard(
  model: AnyModel,
  slices: readonly ComputeSlice[],
  { change = (image) => image, ...options }: RunOptions & { readonly change?: (image: Float32Array) => Float32Array },
  use: (slice: ComputeSlice, output: SliceOutput, at: number) => void,
): Promise<void> {
  const { card } = model
  const meaning = outputMeaning(model)
  const { activation, inference, resize } = meaning
  const channels = 'network' in model ? card.architecture.inputChannels : model.foreign.channels
  await predictPictures(
    'network' in model ? model.network : model.foreign,
    card.architecture.step,
    {
      sizes: slices.map((slice) => networkSize(slice, resize)),
      channels: channels === 3 ? 3 : 1,
      image: (i) => change(preparePicture(sliceAt(slices, i), card.input, channels === 3 ? 3 : 1, resize).image),
    },
    (i, values, outputs, features) => {
      const slice = sliceAt(slices, i)
      const whole = resizePlanes(values, outputs, networkSize(slice, resize), slice)
      use(slice, { folded: foldedClasses(whole, slice.width * slice.height, meaning), features }, i)
    },
    { activation, ...inference },
    { model: card.name, ...options },
  )
}

/** The labels, with what the card wants filled or left out of a slice. */
export function tidied(slice: ComputeSlice, folded: Float32Array, meaning: OutputMeaning): Uint8Array<ArrayBuffer> {
  const labels = labelsOf(folded, slice.width * slice.height, meaning)
  tidyLabels(labels, [slice.width, slice.height], { ...meaning.inference, largestComponent: false })
  return labels
}

/** How unsure each label is: 0 sure to 255. */
export function doubtOf(slice: ComputeSlice, folded: Float32Array, meaning: OutputMeaning): Uint8Array<ArrayBuffer> {
  return doubtOfShares(folded, slice.width * slice.height, meaning)
}

/** The largest of the network's own values says the label, and how unsure it is, all of them: no probabilities are needed for that. */
async function predictPlainly(
  model: AnyModel,
  slices: readonly ComputeSlice[],
  entropy: boolean,
  options: RunOptions,
): Promise<PredictedSlice[]> {
  const { card } = model
  const network = 'network' in model ? model.network : model.foreign
  const results = slices.map(({ index, width, height }) => ({
    index,
    labels: new Uint8Array(width * height),
    ...(entropy ? { entropy: new Uint8Array(width * height) } : {}),
  }))
  const doubtAt = doubtOfLogits(1 + card.labels.length)
  const values = Uint8Array.from([0, ...card.labels.map(({ value }) => value)])
  const image = (i: number): Float32Array => {
    const slice = sliceAt(slices, i)
    return 'network' in model ? normalizedSlice(slice) : preparedSlice(slice, card.input, model.foreign.channels)
  }
  const sink: TileSink = (slice, { input, keep }, logits, classes) => {
    const { labels, entropy: doubt } = results[slice] ?? {}
    const width = slices[slice]?.width ?? 0
    if (labels === undefined) return
    for (let y = keep.top; y < keep.top + keep.height; y++) {
      let at = ((y - input.top) * input.width + (keep.left - input.left)) * classes
      const end = y * width + keep.left + keep.width
      for (let to = y * width + keep.left; to < end; to++, at += classes) {
        const best = argmax(logits, at, classes)
        labels[to] = values[best] ?? 0
        if (doubt !== undefined) doubt[to] = doubtAt(logits, at, logits[at + best] ?? 0)
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
