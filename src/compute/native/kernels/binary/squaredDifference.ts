import * as tf from '@tensorflow/tfjs-core'
import { multiply, subtract } from '../math.ts'
import { registerBinary } from './binary.ts'

export function registerSquaredDifference(): void {
  registerBinary(tf.SquaredDifference, (a, b) => {
    const difference = subtract(a, b)
    return multiply(difference, difference)
  })
}
