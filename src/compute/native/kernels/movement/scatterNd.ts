import * as tf from '@tensorflow/tfjs-core'
import { numbersOf } from '../attributes.ts'
import { registerNativeKernel } from '../recorder.ts'
import { scatter, scattered, zeros } from './scattering.ts'

/** Updates that go to one place are summed. An index outside the shape is an error when the graph runs. */
export function registerScatterNd(): void {
  registerNativeKernel(tf.ScatterNd, ({ input, value, attrs, backend }) => {
    const updates = input('updates')
    const shape = numbersOf(attrs, 'shape')
    const given = value('updates')
    const where = scattered(updates, input('indices'), value('indices'), shape)
    return backend.make(scatter(zeros(shape, given), given, where, true), shape, updates.dtype)
  })
}
