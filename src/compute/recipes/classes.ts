import type { RecipeSettings } from '../../core/contract/recipes.ts'
import type { TrainingData } from './types.ts'

/** What the channels of a recipe's network mean. */
export interface OutputMeaning {
  readonly output: RecipeSettings['loss']['output']
  readonly channels: number
  /** The last channel is the border of objects of the first label, and counts as that label. */
  readonly border: boolean
  /** Label values by class: 0 of background first. */
  readonly values: readonly number[]
  /** Of `sigmoid` and `relu`: a value above is the label. */
  readonly threshold: number
}

export function outputMeaning(settings: RecipeSettings, data: TrainingData): OutputMeaning {
  return {
    output: settings.loss.output,
    channels: data.outputChannels,
    border: settings.loss.output === 'softmax' && data.outputChannels > data.labels.length + 1,
    values: [0, ...data.labels.map(({ value }) => value)],
    threshold: settings.inference.threshold,
  }
}

/** The class of pixel `i` (a place in `values`) by its logits, pixels x channels. Ties go to the lower channel. */
export function classOf(logits: Float32Array, i: number, meaning: OutputMeaning): number {
  const { output, channels, border, values } = meaning
  const at = i * channels
  let best = 0
  let top = logits[at] ?? 0
  for (let c = 1; c < channels; c++) {
    const value = logits[at + c] ?? 0
    if (value > top) {
      top = value
      best = c
    }
  }
  if (output === 'softmax') return border && best === values.length ? 1 : best
  return top > bound(meaning) ? best + 1 : 0
}

/** The place in `values` of what a slice says of a pixel, which may be the border of an object. Not of what teaches nothing. */
export function wantedOf(said: number, { border, values }: Pick<OutputMeaning, 'border' | 'values'>): number {
  return border && said === values.length ? 1 : said
}

/** The threshold as the network gives values: before the sigmoid, after which it is a probability. */
function bound({ output, threshold }: OutputMeaning): number {
  return output === 'relu' ? threshold : Math.log(threshold / (1 - threshold))
}
