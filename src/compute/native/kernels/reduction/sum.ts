import * as tf from '@tensorflow/tfjs-core'
import { asNumbers } from '../conversion.ts'
import { sumOver } from './nodes.ts'
import { registerReduction } from './reduction.ts'

export function registerSum(): void {
  registerReduction(tf.Sum, {
    dtype: (x) => tf.upcastType(x, 'int32'),
    work: (x, ...over) => sumOver(asNumbers(x), ...over),
  })
}
