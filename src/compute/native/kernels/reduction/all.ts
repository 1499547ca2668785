import * as tf from '@tensorflow/tfjs-core'
import { convert } from '../conversion.ts'
import { reduceOver } from './nodes.ts'
import { registerReduction } from './reduction.ts'

/** Whether all are true. */
export function registerAll(): void {
  registerReduction(tf.All, {
    dtype: () => 'bool',
    work: (x, ...over) => convert(reduceOver('ReduceMin', convert(x, 'int32'), ...over), 'bool'),
  })
}
