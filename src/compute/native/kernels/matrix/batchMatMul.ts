import * as tf from '@tensorflow/tfjs-core'
import { elementTypeOf } from '../../tensors.ts'
import { asNumbers, convert } from '../conversion.ts'
import { registerNativeKernel } from '../recorder.ts'
import { matrixProduct } from './product.ts'

export function registerBatchMatMul(): void {
  registerNativeKernel(tf.BatchMatMul, ({ input, value, attrs, backend }) => {
    const dtype = tf.upcastType(input('a').dtype, input('b').dtype)
    const type = elementTypeOf(dtype)
    const operand = (name: string) => asNumbers(convert(value(name), type))
    const product = matrixProduct(operand('a'), operand('b'), attrs.transposeA === true, attrs.transposeB === true)
    return backend.make(convert(product, type), product.shape, dtype)
  })
}
