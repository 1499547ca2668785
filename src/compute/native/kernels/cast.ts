import * as tf from '@tensorflow/tfjs-core'
import { elementTypeOf } from '../tensors.ts'
import { convert } from './conversion.ts'
import { combine } from './elementwise.ts'
import { registerNativeKernel } from './recorder.ts'

/** Fractions are cut off; what is not 0 is true. */
export function registerCast(): void {
  registerNativeKernel(tf.Cast, ({ input, attrs, backend }) => {
    const x = input('x')
    const dtype = isDataType(attrs.dtype) ? attrs.dtype : x.dtype
    if (dtype === x.dtype) return backend.share(x, x.shape)
    return combine(backend, [x], dtype, ([value]) => {
      if (value === undefined) throw new Error('One value was expected.')
      return convert(value, elementTypeOf(dtype))
    })
  })
}

function isDataType(value: unknown): value is tf.DataType {
  return value === 'float32' || value === 'int32' || value === 'bool' || value === 'complex64' || value === 'string'
}
