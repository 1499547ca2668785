import * as tf from '@tensorflow/tfjs-core'
import { registerNativeKernel } from '../recorder.ts'

export function registerIdentity(): void {
  registerNativeKernel(tf.Identity, ({ input, backend }) => backend.share(input('x'), input('x').shape))
}
