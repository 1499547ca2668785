import * as tf from '@tensorflow/tfjs-core'
import { convert } from '../conversion.ts'
import { reduceOver } from './nodes.ts'
import { registerReduction } from './reduction.ts'

export function registerMean(): void {
  registerReduction(tf.Mean, {
    dtype: () => 'float32',
    work: (x, ...over) => reduceOver('ReduceMean', convert(x, 'float32'), ...over),
  })
}
