import * as tf from '@tensorflow/tfjs-core'
import { forwardOf } from '../models/forward.ts'
import { variableGradients } from '../runtime/gradients.ts'
import { segmentationLoss } from './loss.ts'
import { mergedLogits } from './mergedLogits.ts'
import { optimizerStep } from './optimizerStep.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { PatchBatch } from '../data/patches.ts'
import type { Optimizer } from './optimizer.ts'

/**
 * One optimizer step on a batch of count patches of size x size pixels. Returns the loss before the step, the only
 * number that is read back; `variables` are not updated when it is not finite. The moving statistics of batch
 * normalization follow every forward pass whose loss is finite, and on backends that compute at once every forward pass.
 * Leaves no tensor behind. On a backend that records, forward pass, gradients and update are one graph, which is kept
 * until the optimizer is disposed; an optimizer is then for one network and these variables.
 */
export async function trainingStep(
  network: LayersModel,
  variables: readonly tf.Variable[],
  optimizer: Optimizer,
  batch: PatchBatch,
  size: number,
  learningRate: number,
): Promise<number> {
  return await optimizerStep(
    optimizer,
    ([images, classes, merged]) => {
      if (images === undefined || classes === undefined) throw new Error('A step takes images and classes.')
      const forward = forwardOf(network)
      const logits = () => {
        const given = forward(images, true)
        return merged === undefined ? given : mergedLogits(given, merged)
      }
      return variableGradients(() => scalar(segmentationLoss(logits(), classes)), variables)
    },
    () => tensorsOf(batch, size),
    learningRate,
  )
}

function tensorsOf(batch: PatchBatch, size: number): tf.Tensor[] {
  const count = batch.classes.length / (size * size)
  return [
    tf.tensor4d(batch.images, [count, size, size, batch.images.length / (count * size * size)]),
    tf.tensor(new Int32Array(batch.classes), [count, size, size], 'int32'),
    // Copied: the `js` backend keeps the array it is given, and the next batch is written into it.
    ...(batch.merged ? [tf.tensor4d(batch.merged.slice(), [count, 1, 1, batch.merged.length / count])] : []),
  ]
}

function scalar(tensor: tf.Tensor): tf.Scalar {
  return tf.reshape<tf.Rank.R0>(tensor, [])
}
