import * as tf from '@tensorflow/tfjs-core'
import { reshape } from '../graph/build.ts'
import { sizeOf } from '../graph/types.ts'
import { registerNativeKernel } from './recorder.ts'

export function registerReshape(): void {
  registerNativeKernel(tf.Reshape, ({ input, value, attrs, backend }) => {
    const x = input('x')
    const given = attrs.shape
    if (!isShape(given)) throw new Error('Reshape takes a shape.')
    const shape = tf.util.inferFromImplicitShape(given, sizeOf(x.shape))
    if (shape.join() === x.shape.join()) return backend.share(x, shape)
    return backend.make(reshape(value('x'), shape), shape, x.dtype)
  })
}

function isShape(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((extent) => typeof extent === 'number')
}
