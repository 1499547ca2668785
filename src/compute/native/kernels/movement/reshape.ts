import * as tf from '@tensorflow/tfjs-core'
import { sizeOf } from '../../graph/types.ts'
import { numbersOf } from '../attributes.ts'
import { registerNativeKernel } from '../recorder.ts'
import { reshaped } from '../reshaping.ts'

export function registerReshape(): void {
  registerNativeKernel(tf.Reshape, ({ input, attrs, backend }) => {
    const x = input('x')
    const shape = tf.util.inferFromImplicitShape(numbersOf(attrs, 'shape'), sizeOf(x.shape))
    if (shape.join() === x.shape.join()) return backend.share(x, shape)
    return backend.make(reshaped(backend.recorded(x), x.shape, shape), shape, x.dtype)
  })
}
