import * as tf from '@tensorflow/tfjs-core'
import { asNumbers } from '../conversion.ts'
import { reduceOver } from './nodes.ts'
import { registerReduction } from './reduction.ts'

export function registerProd(): void {
  registerReduction(tf.Prod, {
    dtype: (x) => tf.upcastType(x, 'int32'),
    work: (x, ...over) => reduceOver('ReduceProd', asNumbers(x), ...over),
  })
}
