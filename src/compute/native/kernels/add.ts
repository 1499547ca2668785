import * as tf from '@tensorflow/tfjs-core'
import { elementwise } from './elementwise.ts'
import { registerNativeKernel } from './recorder.ts'

export function registerAdd(): void {
  registerNativeKernel(tf.Add, ({ input, backend }) => {
    const [a, b] = [input('a'), input('b')]
    return elementwise(backend, 'Add', [a, b], tf.upcastType(a.dtype, b.dtype))
  })
}
