import * as tf from '@tensorflow/tfjs-core'
import { constant, emit, int } from '../../graph/build.ts'
import { numberOf } from '../attributes.ts'
import { placeOf } from '../axes.ts'
import { registerNativeKernel } from '../recorder.ts'

export function registerUnpack(): void {
  registerNativeKernel(tf.Unpack, ({ input, value, attrs, backend }) => {
    const { shape: packed, dtype } = input('value')
    const axis = placeOf(numberOf(attrs, 'axis'), packed.length, 'plain')
    const shape = packed.toSpliced(axis, 1)
    return Array.from({ length: packed[axis] ?? 0 }, (_, index) => {
      const place = constant(BigInt64Array.of(BigInt(index)), [], 'int64')
      const part = emit('Gather', [value('value'), place], shape, { attributes: { axis: int(axis) } })
      return backend.make(part, shape, dtype)
    })
  })
}
