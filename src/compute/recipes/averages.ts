import * as tf from '@tensorflow/tfjs-core'
import { createProgram } from '../runtime/program.ts'
import type { Program } from '../runtime/program.ts'

/**
 * The weights of one network as the moving average of another's (Polyak and Juditsky 1992; in the exponential form of
 * Tarvainen and Valpola, arXiv 1703.01780): a += rate (w - a) after each step. The averages are the weights of a network of
 * their own, which is what is measured and kept.
 */
export interface Averages {
  /** After step `step` (from 1 on). Early steps count more, so that the initial weights are soon forgotten. */
  follow(step: number): Promise<void>
  dispose(): void
}

/** `averaged[i]` follows `weights[i]`; both stay the caller's. */
export function createAverages(
  weights: readonly tf.Variable[],
  averaged: readonly tf.Variable[],
  decay: number,
): Averages {
  const program: Program = createProgram(([rate]) => {
    if (rate === undefined) throw new Error('Averaging takes its rate.')
    weights.forEach((weight, index) => {
      const average = averaged[index]
      if (average !== undefined) average.assign(tf.add(average, tf.mul(tf.sub(weight, average), rate)))
    })
    return []
  })
  return {
    async follow(step) {
      const rate = tf.scalar(1 - decayAt(step, decay))
      try {
        await program.run([rate])
      } finally {
        rate.dispose()
      }
    },
    dispose() {
      program.dispose()
    },
  }
}

/** As in TensorFlow's ExponentialMovingAverage with `num_updates`. */
export function decayAt(step: number, decay: number): number {
  return Math.min(decay, (1 + step) / (10 + step))
}
