import * as tf from '@tensorflow/tfjs-core'
import { passInTraining } from '../inference/forwardPass.ts'
import { argmax, runNetwork } from '../inference/predict.ts'
import { hasKernel } from '../kernels/available.ts'
import { SEGMENTATION_LOSS } from '../kernels/index.ts'
import { addPixels, emptySums, lossTerms } from '../kernels/segmentationLossLoops.ts'
import { isRecording } from '../runtime/program.ts'
import { readFloats } from '../runtime/tensors.ts'
import { segmentationLoss } from './loss.ts'
import { AWAY } from './mergedLogits.ts'
import { createTally } from './tally.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { TrainingImage } from '../data/trainingImage.ts'
import type { Tile } from '../inference/tiles.ts'
import type { Agreement } from './tally.ts'

export interface Evaluation extends Agreement {
  readonly loss: number
}

/** Loss and Dice of a network on whole slices, as they would be predicted. */
export async function evaluate(
  network: LayersModel,
  step: number,
  images: readonly TrainingImage[],
  classCount: number,
  signal?: AbortSignal,
): Promise<Evaluation> {
  const tally = createTally(classCount, images)
  const losses: Promise<number>[] = []
  let pixels = 0
  try {
    await runNetwork(
      network,
      step,
      images,
      (i) => images[i]?.image ?? new Float32Array(),
      (index, tile, logits, classes) => {
        const image = images[index]
        if (image === undefined) return
        const kept = keptLogits(tile, logits, classes)
        const wanted = wantedClasses(tile, image)
        for (let i = 0; i < wanted.length; i++) {
          const want = wanted[i] ?? -1
          if (want < 0 || want >= classes) continue
          const likeliest = argmax(kept, i * classes, classes)
          // Background may be what the network says it is.
          const got = want === 0 && image.hidden?.includes(likeliest) === true ? 0 : likeliest
          tally.add(index, pixelOf(tile, i, image.width), got, want)
        }
        const teaching = wanted.reduce((sum, want) => sum + (want < classes ? 1 : 0), 0)
        const judged = image.hidden === undefined ? kept : mergedIn(kept, classes, image.hidden)
        losses.push(lossOf(judged, wanted, classes).then((loss) => loss * teaching))
        pixels += teaching
      },
      { pass: passInTraining, ...(signal === undefined ? {} : { signal }) },
    )
  } finally {
    await Promise.allSettled(losses)
  }
  const lossSum = (await Promise.all(losses)).reduce((sum, loss) => sum + loss, 0)
  return { loss: pixels === 0 ? 0 : lossSum / pixels, ...tally.agreement() }
}

/** The place in its slice, `width` pixels wide, of the i-th pixel that the tile keeps. */
export function pixelOf({ keep }: Pick<Tile, 'keep'>, i: number, width: number): number {
  const row = Math.floor(i / keep.width)
  return (row + keep.top) * width + keep.left + (i - row * keep.width)
}

/** The logits of the tile's pixels that count, which are all of them where the slice needed no surroundings. */
function keptLogits({ input, keep }: Tile, logits: Float32Array, classes: number): Float32Array {
  if (keep.width === input.width && keep.height === input.height) return logits
  const kept = new Float32Array(keep.width * keep.height * classes)
  for (let y = 0; y < keep.height; y++) {
    const from = ((y + keep.top - input.top) * input.width + keep.left - input.left) * classes
    kept.set(logits.subarray(from, from + keep.width * classes), y * keep.width * classes)
  }
  return kept
}

/** As `mergedLogits` has them for a step: background stands for the hidden classes too, which are never there. A copy. */
function mergedIn(logits: Float32Array, classes: number, hidden: readonly number[]): Float32Array {
  const merged = logits.slice()
  const among = [0, ...hidden]
  for (let at = 0; at < merged.length; at += classes) {
    const top = Math.max(...among.map((c) => logits[at + c] ?? 0))
    const sum = among.reduce((all, c) => all + Math.exp((logits[at + c] ?? 0) - top), 0)
    merged[at] = Math.log(sum) + top
    for (const c of hidden) merged[at + c] = -AWAY
  }
  return merged
}

function wantedClasses({ keep }: Tile, { classes, width }: TrainingImage): Int32Array {
  const wanted = new Int32Array(keep.width * keep.height)
  for (let y = 0; y < keep.height; y++) {
    const row = (y + keep.top) * width + keep.left
    wanted.set(classes.subarray(row, row + keep.width), y * keep.width)
  }
  return wanted
}

/**
 * By the kernel where there is one: three times as fast as the loops, which in turn need not carry the logits anywhere, nor
 * be compiled for their number.
 */
async function lossOf(logits: Float32Array, classes: Int32Array, classCount: number): Promise<number> {
  if (!hasKernel(SEGMENTATION_LOSS) || isRecording()) {
    const sums = emptySums(classCount)
    addPixels(logits, classes, sums, new Float32Array(logits.length))
    return lossTerms(sums).loss
  }
  const loss = tf.tidy(() =>
    segmentationLoss(
      tf.tensor(logits, [classes.length, classCount], 'float32'),
      tf.tensor(classes, [classes.length], 'int32'),
    ),
  )
  try {
    return (await readFloats(loss))[0] ?? NaN
  } finally {
    loss.dispose()
  }
}
