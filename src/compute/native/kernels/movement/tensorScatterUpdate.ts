import * as tf from '@tensorflow/tfjs-core'
import { registerNativeKernel } from '../recorder.ts'
import { scatter, scattered } from './scattering.ts'

/** Of updates that go to one place, the last one counts. */
export function registerTensorScatterUpdate(): void {
  registerNativeKernel(tf.TensorScatterUpdate, ({ input, value, backend }) => {
    const { shape, dtype } = input('tensor')
    const where = scattered(input('updates'), input('indices'), value('indices'), shape)
    return backend.make(scatter(value('tensor'), value('updates'), where, false), shape, dtype)
  })
}
