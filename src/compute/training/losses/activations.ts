import * as tf from '@tensorflow/tfjs-core'
import { keepFor, one } from '../../models/kernelCalls.ts'

/** Activations and cross-entropies with gradients that stay finite for logits of any size. */

/** log softmax over the last axis. */
export function logSoftmax(logits: tf.Tensor): tf.Tensor {
  const operation = tf.customGrad((x, save) => {
    const value = tf.tidy(() => {
      const shifted = tf.sub(one(x), tf.max(one(x), -1, true))
      return tf.sub(shifted, tf.log(tf.sum(tf.exp(shifted), -1, true)))
    })
    keepFor(save, [value])
    return {
      value,
      gradFunc: (dy, saved) => {
        const outer = one(dy)
        return tf.sub(outer, tf.mul(tf.exp(one(saved)), tf.sum(outer, -1, true)))
      },
    }
  })
  return operation(logits)
}

/** -(t log s(x) + (1 - t) log(1 - s(x))) of each element, s the logistic function; `truth` is 0 or 1. */
export function binaryCrossEntropy(logits: tf.Tensor, truth: tf.Tensor): tf.Tensor {
  const operation = tf.customGrad((given, save) => {
    const x = one(given)
    const value = tf.tidy(() => {
      const tail = tf.log(tf.add(tf.exp(tf.neg(tf.abs(x))), 1))
      return tf.add(tf.sub(tf.relu(x), tf.mul(x, truth)), tail)
    })
    keepFor(save, [x, truth])
    return {
      value,
      gradFunc: (dy, [kept, wanted]) => {
        if (kept === undefined || wanted === undefined) throw new Error('Nothing was saved.')
        return tf.mul(one(dy), tf.sub(tf.sigmoid(kept), wanted))
      },
    }
  })
  return operation(logits)
}
