import * as tf from '@tensorflow/tfjs-core'
import { convert } from '../conversion.ts'
import { reduceOver } from './nodes.ts'
import { registerReduction } from './reduction.ts'

/** Whether one is true. */
export function registerAny(): void {
  registerReduction(tf.Any, {
    dtype: () => 'bool',
    work: (x, ...over) => convert(reduceOver('ReduceMax', convert(x, 'int32'), ...over), 'bool'),
  })
}
