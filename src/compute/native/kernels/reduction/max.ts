import * as tf from '@tensorflow/tfjs-core'
import { asNumbers, convert } from '../conversion.ts'
import { reduceOver } from './nodes.ts'
import { registerReduction } from './reduction.ts'

export function registerMax(): void {
  registerReduction(tf.Max, {
    axesIn: 'reductionIndices',
    dtype: (x) => x,
    work: (x, ...over) => convert(reduceOver('ReduceMax', asNumbers(x), ...over), x.type),
  })
}
