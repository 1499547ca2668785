import * as tf from '@tensorflow/tfjs-core'
import { createProgram } from '../runtime/program.ts'
import { readFloats } from '../runtime/tensors.ts'
import { recipeLoss } from '../training/losses/recipeLoss.ts'
import type { LossSettings } from '../../core/contract/recipes.ts'
import type { NetworkSlice } from './types.ts'

export interface LossMeter {
  /** The training's own loss of one slice; `logits` is height x width x channels. */
  measure(logits: Float32Array, slice: Pick<NetworkSlice, 'classes' | 'weights'>): Promise<number>
  dispose(): void
}

/** Teaches nothing. */
const IGNORED = 255

/**
 * Losses know pixels and no places: those of a slice go through as one row, filled up with pixels that count for nothing to a
 * power of two, so that slices of many sizes make few graphs.
 */
export function createLossMeter(settings: LossSettings): LossMeter {
  const lossOf = recipeLoss(settings)
  const program = createProgram(([logits, classes, weights]) => {
    if (logits === undefined || classes === undefined) throw new Error('A loss takes logits and classes.')
    return [lossOf(logits, classes, weights ?? null)]
  })
  return {
    async measure(logits, { classes, weights }) {
      const count = 2 ** Math.ceil(Math.log2(classes.length))
      const channels = logits.length / classes.length
      const inputs = tf.tidy(() => {
        const row = new Float32Array(count * channels)
        row.set(logits)
        const wanted = new Int32Array(count).fill(IGNORED)
        wanted.set(classes)
        const each = new Float32Array(weights === null ? 0 : count)
        each.set(weights ?? [])
        const pixels: [number, number, number] = [1, count, 1]
        return [
          tf.tensor4d(row, [...pixels, channels]),
          tf.tensor3d(wanted, pixels, 'int32'),
          ...(weights === null ? [] : [tf.tensor3d(each, pixels)]),
        ]
      })
      try {
        const results = await program.run(inputs)
        try {
          return results[0] === undefined ? NaN : ((await readFloats(results[0]))[0] ?? NaN)
        } finally {
          tf.dispose(results)
        }
      } finally {
        tf.dispose(inputs)
      }
    },
    dispose() {
      program.dispose()
    },
  }
}
