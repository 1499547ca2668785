import * as tf from '@tensorflow/tfjs-core'
import { asNumbers, convert } from '../conversion.ts'
import { reduceOver } from './nodes.ts'
import { registerReduction } from './reduction.ts'

export function registerMin(): void {
  registerReduction(tf.Min, {
    dtype: (x) => x,
    work: (x, ...over) => convert(reduceOver('ReduceMin', asNumbers(x), ...over), x.type),
  })
}
