import { argmax, runNetwork } from '../inference/predict.ts'
import { addPixels, emptySums, lossTerms } from '../kernels/segmentationLossLoops.ts'
import { IGNORED } from '../data/trainingImage.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { TrainingImage } from '../data/trainingImage.ts'

export interface Evaluation {
  readonly loss: number
  /** Mean over the labels that occur of the Dice over all images together; 1 where nothing is labelled nor predicted. */
  readonly dice: number
}

/** Loss and Dice of a network on whole slices, as they would be predicted. */
export async function evaluate(
  network: LayersModel,
  step: number,
  images: readonly TrainingImage[],
  classCount: number,
  signal?: AbortSignal,
): Promise<Evaluation> {
  const both = new Float64Array(classCount)
  const predicted = new Float64Array(classCount)
  const truth = new Float64Array(classCount)
  let lossSum = 0
  let lossPixels = 0
  await runNetwork(
    network,
    step,
    images,
    (i) => images[i]?.image ?? new Float32Array(),
    (index, { input, keep }, logits, classes) => {
      const target = images[index]
      if (target === undefined) return
      const kept = new Float32Array(keep.width * keep.height * classes)
      const wanted = new Int32Array(keep.width * keep.height)
      for (let y = 0; y < keep.height; y++) {
        const from = ((y + keep.top - input.top) * input.width + keep.left - input.left) * classes
        kept.set(logits.subarray(from, from + keep.width * classes), y * keep.width * classes)
        const row = (y + keep.top) * target.width + keep.left
        wanted.set(target.classes.subarray(row, row + keep.width), y * keep.width)
      }
      for (let i = 0; i < wanted.length; i++) {
        const want = wanted[i] ?? IGNORED
        if (want === IGNORED) continue
        const got = argmax(kept, i * classes, classes)
        predicted[got] = (predicted[got] ?? 0) + 1
        truth[want] = (truth[want] ?? 0) + 1
        if (got === want) both[got] = (both[got] ?? 0) + 1
      }
      const sums = emptySums(classes)
      addPixels(kept, wanted, sums, kept)
      lossSum += lossTerms(sums).loss * wanted.length
      lossPixels += wanted.length
    },
    signal === undefined ? {} : { signal },
  )
  return { loss: lossPixels === 0 ? 0 : lossSum / lossPixels, dice: meanDice(both, predicted, truth) }
}

/** Dice = 2 |A and B| / (|A| + |B|) by label, averaged over the labels of the truth; counts by class. */
export function meanDice(both: Float64Array, predicted: Float64Array, truth: Float64Array): number {
  let sum = 0
  let labels = 0
  let stray = 0
  for (let c = 1; c < truth.length; c++) {
    stray += predicted[c] ?? 0
    if ((truth[c] ?? 0) === 0) continue
    sum += (2 * (both[c] ?? 0)) / ((predicted[c] ?? 0) + (truth[c] ?? 0))
    labels++
  }
  if (labels > 0) return sum / labels
  return stray === 0 ? 1 : 0
}
