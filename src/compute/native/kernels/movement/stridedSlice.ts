import * as tf from '@tensorflow/tfjs-core'
import { numberOf, numbersOf } from '../attributes.ts'
import { registerNativeKernel } from '../recorder.ts'
import { regrouped } from '../reshaping.ts'
import { cut } from '../slicing.ts'

export function registerStridedSlice(): void {
  registerNativeKernel(tf.StridedSlice, ({ input, value, attrs, backend }) => {
    const x = input('x')
    const info = tf.slice_util.sliceInfo(
      x.shape,
      numbersOf(attrs, 'begin'),
      numbersOf(attrs, 'end'),
      numbersOf(attrs, 'strides'),
      numberOf(attrs, 'beginMask'),
      numberOf(attrs, 'endMask'),
      numberOf(attrs, 'ellipsisMask'),
      numberOf(attrs, 'newAxisMask'),
      numberOf(attrs, 'shrinkAxisMask'),
    )
    const shape = info.finalShape
    const cuts = x.shape.map((extent, axis) => ({
      begin: info.begin[axis] ?? 0,
      size: info.finalShapeSparse[axis] ?? extent,
      step: info.strides[axis] ?? 1,
    }))
    const taken = info.isIdentity ? value('x') : cut(value('x'), cuts)
    return backend.make(regrouped(taken, shape), shape, x.dtype)
  })
}
