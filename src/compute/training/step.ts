import * as tf from '@tensorflow/tfjs-core'
import { forwardOf } from '../models/forward.ts'
import { variableGradients } from '../runtime/gradients.ts'
import { readFloats } from '../runtime/tensors.ts'
import { segmentationLoss } from './loss.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { PatchBatch } from '../data/patches.ts'
import type { Optimizer } from './optimizer.ts'

/**
 * One optimizer step on a batch of count patches of size x size pixels. Returns the loss before the step, the only
 * number that is read back; `variables` are not updated when it is not finite, since the update is asked for once it is
 * known. The moving statistics of batch normalization follow every forward pass. Leaves no tensor behind.
 */
export async function trainingStep(
  network: LayersModel,
  variables: readonly tf.Variable[],
  optimizer: Optimizer,
  batch: PatchBatch,
  size: number,
  learningRate: number,
): Promise<number> {
  const count = batch.images.length / (size * size)
  const forward = forwardOf(network)
  const { value, grads } = tf.tidy(() => {
    const images = tf.tensor4d(batch.images, [count, size, size, 1])
    const classes = tf.tensor(new Int32Array(batch.classes), [count, size, size], 'int32')
    return variableGradients(() => scalar(segmentationLoss(forward(images, true), classes)), variables)
  })
  try {
    const loss = (await readFloats(value))[0] ?? NaN
    if (Number.isFinite(loss)) optimizer.update(grads, learningRate)
    return loss
  } finally {
    value.dispose()
    tf.dispose(grads)
  }
}

function scalar(tensor: tf.Tensor): tf.Scalar {
  return tf.reshape<tf.Rank.R0>(tensor, [])
}
