import * as tf from '@tensorflow/tfjs-core'
import { registerPlace } from './place.ts'

export function registerArgMax(): void {
  registerPlace(tf.ArgMax, 'ArgMax')
}
