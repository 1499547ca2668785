import * as tf from '@tensorflow/tfjs-core'
import { elementTypeOf } from '../../tensors.ts'
import { convert } from '../conversion.ts'
import { registerNativeKernel } from '../recorder.ts'
import { matrixProduct } from './product.ts'

export function registerBatchMatMul(): void {
  registerNativeKernel(tf.BatchMatMul, ({ input, value, attrs, backend }) => {
    const dtype = tf.upcastType(input('a').dtype, input('b').dtype)
    const type = elementTypeOf(dtype)
    const [a, b] = [convert(value('a'), type), convert(value('b'), type)]
    const product = matrixProduct(a, b, attrs.transposeA === true, attrs.transposeB === true)
    return backend.make(product, product.shape, dtype)
  })
}
