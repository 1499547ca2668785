import { predictPrepared } from '../inference/prepared.ts'
import { stopIfCancelled } from '../inference/turns.ts'
import { createLossMeter } from './lossMeter.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import { classOf, wantedOf } from './classes.ts'
import type { LossSettings } from '../../core/contract/recipes.ts'
import type { OutputMeaning } from './classes.ts'
import type { NetworkSlice, SliceRef, TrainingData } from './types.ts'

/** How a network does on slices as it is given them, before any post-processing. */
export interface Measured {
  /** Mean over the slices. */
  readonly loss: number
  /**
   * accuracy, dice, iou, and the latter two by label ("dice:1"); of all pixels of the slices together, so that a slice without
   * a label decides nothing. The means are over the labels that occur.
   */
  readonly scores: Record<string, number>
  /** Mean Dice, which is what decides between epochs. */
  readonly dice: number
}

export interface MeasureOptions {
  readonly step: number
  readonly meaning: OutputMeaning
  /** Told of each slice with its place in the list, in any order; height x width: 0 background, c > 0 the c-th label. */
  readonly onSlice?: (index: number, slice: NetworkSlice, predicted: Uint8Array) => void
  readonly signal?: AbortSignal
}

export interface Meter {
  measure(network: LayersModel, refs: readonly SliceRef[], options: MeasureOptions): Promise<Measured>
  dispose(): void
}

/** Teaches nothing. */
const IGNORED = 255
/** Slices read at once; as many pass the network together as memory allows. */
const AT_ONCE = 8

/** Measures on slices of `data`, which are read when they are needed. */
export function createMeter(data: Pick<TrainingData, 'slice'>, settings: LossSettings): Meter {
  const lossMeter = createLossMeter(settings)
  return {
    async measure(network, refs, options) {
      const counts = createCounts(options.meaning)
      let loss = 0
      for (const chunk of chunksOf(refs)) {
        stopIfCancelled(options.signal)
        const slices = await Promise.all(chunk.map(({ ref }) => data.slice(ref)))
        const outputs = await logitsOf(network, slices, options)
        for (const [i, slice] of slices.entries()) {
          const logits = outputs[i]
          const index = chunk[i]?.index
          if (logits === undefined || index === undefined) continue
          loss += await lossMeter.measure(logits, slice)
          const predicted = counts.add(logits, slice)
          options.onSlice?.(index, slice, predicted)
        }
      }
      return { loss: refs.length === 0 ? 0 : loss / refs.length, ...counts.scores() }
    },
    dispose() {
      lossMeter.dispose()
    },
  }
}

/** Slices of one size go together, so that they can pass the network together. */
function chunksOf(refs: readonly SliceRef[]): { index: number; ref: SliceRef }[][] {
  const sorted = refs
    .map((ref, index) => ({ index, ref }))
    .sort((a, b) => a.ref.width - b.ref.width || a.ref.height - b.ref.height || a.index - b.index)
  return Array.from({ length: Math.ceil(sorted.length / AT_ONCE) }, (_, i) =>
    sorted.slice(i * AT_ONCE, (i + 1) * AT_ONCE),
  )
}

/** Of each slice: height x width x channels. */
async function logitsOf(
  network: LayersModel,
  slices: readonly NetworkSlice[],
  { step, signal }: MeasureOptions,
): Promise<Float32Array[]> {
  const options = { activation: 'none' as const, training: true, ...(signal === undefined ? {} : { signal }) }
  const predicted = await predictPrepared(network, step, slices, options)
  return predicted.map(({ channels, values }) => {
    const pixels = values.length / channels
    const logits = new Float32Array(values.length)
    for (let c = 0; c < channels; c++) {
      for (let i = 0; i < pixels; i++) logits[i * channels + c] = values[c * pixels + i] ?? 0
    }
    return logits
  })
}

/** Counts pixels by true and predicted label. */
function createCounts(meaning: OutputMeaning) {
  const { values } = meaning
  const both = new Float64Array(values.length)
  const predicted = new Float64Array(values.length)
  const truth = new Float64Array(values.length)
  return {
    /** @returns The class of each pixel as predicted. */
    add(logits: Float32Array, { classes }: NetworkSlice): Uint8Array {
      const map = new Uint8Array(classes.length)
      for (let i = 0; i < classes.length; i++) {
        const got = classOf(logits, i, meaning)
        map[i] = got
        const said = classes[i] ?? IGNORED
        if (said === IGNORED) continue
        const want = wantedOf(said, meaning)
        predicted[got] = (predicted[got] ?? 0) + 1
        truth[want] = (truth[want] ?? 0) + 1
        if (got === want) both[got] = (both[got] ?? 0) + 1
      }
      return map
    },
    scores(): Pick<Measured, 'scores' | 'dice'> {
      const all = truth.reduce((sum, count) => sum + count, 0)
      const right = both.reduce((sum, count) => sum + count, 0)
      const byLabel = values.slice(1).map((value, index) => {
        const at = index + 1
        const [hits, said, true_] = [both[at] ?? 0, predicted[at] ?? 0, truth[at] ?? 0]
        const none = said + true_ === 0
        return {
          value,
          occurs: true_ > 0,
          dice: none ? 1 : (2 * hits) / (said + true_),
          iou: none ? 1 : hits / (said + true_ - hits),
        }
      })
      const counted = byLabel.some(({ occurs }) => occurs) ? byLabel.filter(({ occurs }) => occurs) : byLabel
      const mean = (pick: (each: (typeof byLabel)[number]) => number): number =>
        counted.reduce((sum, each) => sum + pick(each), 0) / Math.max(1, counted.length)
      const dice = mean((each) => each.dice)
      const scores = Object.fromEntries([
        ['accuracy', all === 0 ? 1 : right / all],
        ['dice', dice],
        ...byLabel.map(({ value, dice: own }): [string, number] => [`dice:${value}`, own]),
        ['iou', mean((each) => each.iou)],
        ...byLabel.map(({ value, iou }): [string, number] => [`iou:${value}`, iou]),
      ])
      return { scores, dice }
    },
  }
}
