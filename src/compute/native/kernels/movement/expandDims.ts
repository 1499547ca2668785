import * as tf from '@tensorflow/tfjs-core'
import { numberOf } from '../attributes.ts'
import { registerNativeKernel } from '../recorder.ts'
import { reshaped } from '../reshaping.ts'

export function registerExpandDims(): void {
  registerNativeKernel(tf.ExpandDims, ({ input, attrs, backend }) => {
    const x = input('input')
    const dim = numberOf(attrs, 'dim')
    const axis = dim < 0 ? dim + x.shape.length + 1 : dim
    const shape = x.shape.toSpliced(axis, 0, 1)
    return backend.make(reshaped(backend.recorded(x), x.shape, shape), shape, x.dtype)
  })
}
