import { inferenceSettingsSchema } from '../../core/contract/recipes.ts'
import type { ModelCard } from '../../core/contract/compute.ts'
import type { InferenceSettings, InputSettings, InstanceSettings } from '../../core/contract/recipes.ts'
import type { AnyModel } from '../models/cache.ts'
import type { Activation } from './gathering.ts'

/** How a network's output becomes labels, as its card says; cards without `handling` mean the plainest way. */
export interface OutputMeaning {
  readonly activation: Activation
  /** Channels exclude each other and the first is background; else each is a label of its own, above `threshold`. */
  readonly exclusive: boolean
  /** Channels in front that stand for nothing. */
  readonly skipped: number
  /** The last channel is the border of objects of the first label, and counts as that. */
  readonly border: boolean
  readonly labels: ModelCard['labels']
  readonly resize: InputSettings['resize']
  readonly instances: InstanceSettings | null
  readonly inference: InferenceSettings
}

/** Without anything asked for: no copies, one plane, nothing filled or left out. */
const PLAIN_INFERENCE: InferenceSettings = inferenceSettingsSchema.parse({})

/** `inference`: what is wanted instead of what the card says. */
export function outputMeaning(model: AnyModel, inference: Partial<InferenceSettings> = {}): OutputMeaning {
  const { card } = model
  const { handling, labels } = card
  const common = { labels, instances: handling?.instances ?? null }
  if (handling === undefined) {
    return {
      ...common,
      ...('network' in model ? { activation: 'softmax', exclusive: true, skipped: 0 } : foreignMeaning(card)),
      border: false,
      resize: { kind: 'none' },
      inference: { ...PLAIN_INFERENCE, ...inference },
    }
  }
  const { output, border, resize } = handling
  return {
    ...common,
    activation: output,
    exclusive: output === 'softmax',
    skipped: 0,
    border,
    resize,
    inference: { ...handling.inference, ...inference },
  }
}

/** A network from elsewhere gives one channel more than it has where none is background (foreign/run.ts). */
function foreignMeaning({ onnx, background }: ModelCard): Pick<OutputMeaning, 'activation' | 'exclusive' | 'skipped'> {
  const logits = onnx?.scores !== 'probabilities'
  if (onnx?.classes !== 'independent') return { activation: logits ? 'softmax' : 'none', exclusive: true, skipped: 0 }
  const activation = logits ? 'sigmoid' : 'none'
  return { activation, exclusive: background.channel === 0, skipped: background.channel === 0 ? 0 : 1 }
}

/** Channels of the probabilities that `foldBorder` leaves, by what they stand for; 0 is background. */
export function channelValues({ exclusive, labels }: OutputMeaning): number[] {
  const values = labels.map(({ value }) => value)
  return exclusive ? [0, ...values] : values
}

/**
 * Takes the channels that stand for labels out of what a network gives (class by class, `pixels` each), the border added to
 * the first label. A view of `values`, which is changed.
 */
export function foldedClasses(values: Float32Array, pixels: number, meaning: OutputMeaning): Float32Array {
  const { border, skipped } = meaning
  const count = channelValues(meaning).length
  if (border) {
    const from = count * pixels
    for (let i = 0; i < pixels; i++) values[pixels + i] = (values[pixels + i] ?? 0) + (values[from + i] ?? 0)
  }
  return values.subarray(skipped * pixels, (skipped + count) * pixels)
}

/** One label value a pixel: the likeliest, ties to the lower channel; of labels for themselves the largest above the threshold. */
export function labelsOf(folded: Float32Array, pixels: number, meaning: OutputMeaning): Uint8Array<ArrayBuffer> {
  const values = channelValues(meaning)
  const { exclusive, inference } = meaning
  const labels = new Uint8Array(pixels)
  for (let i = 0; i < pixels; i++) {
    let top = exclusive ? -Infinity : inference.threshold
    for (let c = 0, at = i; c < values.length; c++, at += pixels) {
      const value = folded[at] ?? 0
      if (value > top) {
        top = value
        labels[i] = values[c] ?? 0
      }
    }
  }
  return labels
}

/**
 * How unsure a pixel's label is, 0 to 1: Shannon's entropy of the probabilities as a share of its maximum, which all classes
 * being equally likely has. Of labels for themselves that of the least sure one.
 */
export function entropyOf(folded: Float32Array, pixels: number, meaning: OutputMeaning): Float32Array<ArrayBuffer> {
  const { exclusive } = meaning
  const classes = channelValues(meaning).length
  const entropy = new Float32Array(pixels)
  const most = Math.log(Math.max(2, exclusive ? classes : 2))
  for (let i = 0; i < pixels; i++) {
    let found = 0
    for (let c = 0, at = i; c < classes; c++, at += pixels) {
      const p = folded[at] ?? 0
      const own = -part(p)
      found = exclusive ? found + own : Math.max(found, own - part(1 - p))
    }
    entropy[i] = Math.min(1, Math.max(0, found / most))
  }
  return entropy
}

function part(p: number): number {
  return p > 0 ? p * Math.log(p) : 0
}
