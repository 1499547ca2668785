import * as tf from '@tensorflow/tfjs-core'
import { registerPlace } from './place.ts'

export function registerArgMin(): void {
  registerPlace(tf.ArgMin, 'ArgMin')
}
