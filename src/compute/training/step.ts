import * as tf from '@tensorflow/tfjs-core'
import { forwardOf } from '../models/forward.ts'
import { isTensor, readFloats, readFloatsNow } from '../runtime/tensors.ts'
import { segmentationLoss } from './loss.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { PatchBatch } from '../data/patches.ts'
import type { Optimizer } from './adam.ts'

/**
 * One optimizer step on a batch of count patches of size x size. Returns the loss before the step; nothing is updated
 * when it is not a finite number. Leaves no tensor behind.
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
    return tf.variableGrads(() => lossOf(forward(images, true), batch.classes), [...variables])
  })
  try {
    const loss = (await readFloats(value))[0] ?? NaN
    if (Number.isFinite(loss)) tf.tidy(() => optimizer.update(grads, learningRate))
    return loss
  } finally {
    value.dispose()
    tf.dispose(grads)
  }
}

/** The loss as an operation with a gradient of its own, computed outside TensorFlow.js. */
function lossOf(logits: tf.Tensor, classes: Uint8Array): tf.Scalar {
  const operation = tf.customGrad<tf.Scalar>((x) => {
    if (!isTensor(x)) throw new Error('The loss takes the logits.')
    const { loss, gradient } = segmentationLoss(readFloatsNow(x), classes, x.shape[3] ?? 0)
    return {
      value: tf.scalar(loss),
      gradFunc: (dy) => {
        const outer: unknown = Array.isArray(dy) ? dy[0] : dy
        if (!isTensor(outer)) throw new Error('The loss has one output.')
        return tf.mul(outer, tf.tensor(gradient, x.shape))
      },
    }
  })
  return operation(logits)
}
