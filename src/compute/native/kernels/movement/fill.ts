import * as tf from '@tensorflow/tfjs-core'
import { arranged } from '../axes.ts'
import { dtypeOf, numberOf, numbersOf } from '../attributes.ts'
import { uniform } from '../filling.ts'
import { layoutOf, registerNativeKernel } from '../recorder.ts'
import { elementTypeOf } from '../../tensors.ts'

/** Fill, ZerosLike and OnesLike. */
export function registerFill(): void {
  registerNativeKernel(tf.Fill, ({ attrs, backend }) => {
    const shape = numbersOf(attrs, 'shape')
    const dtype = dtypeOf(attrs) ?? (typeof attrs.value === 'boolean' ? 'bool' : 'float32')
    const value = typeof attrs.value === 'boolean' ? Number(attrs.value) : numberOf(attrs, 'value')
    return backend.make(uniform(value, shape, dtype), shape, dtype)
  })
  registerLike(tf.ZerosLike, 0)
  registerLike(tf.OnesLike, 1)
}

function registerLike(kernelName: string, value: number): void {
  registerNativeKernel(kernelName, ({ input, backend }) => {
    const x = input('x')
    const layout = layoutOf(backend, x)
    return backend.make(uniform(value, arranged(x.shape, layout), elementTypeOf(x.dtype)), x.shape, x.dtype, layout)
  })
}
