import * as tf from '@tensorflow/tfjs-core'
import { reshape, transpose } from '../../graph/build.ts'
import { sizeOf } from '../../graph/types.ts'
import { numbersOf, pairsOf } from '../attributes.ts'
import { registerNativeKernel } from '../recorder.ts'
import { cut } from '../slicing.ts'
import { padWith } from './pad.ts'

/** SpaceToBatchND and BatchToSpaceND: blocks of pixels become images of their own, and the way back. */
export function registerSpaceToBatch(): void {
  const { getReshaped, getPermuted, getReshapedPermuted, getSliceBeginCoords, getSliceSize } = tf.backend_util
  registerNativeKernel(tf.SpaceToBatchND, ({ input, value, attrs, backend }) => {
    const x = input('x')
    const block = numbersOf(attrs, 'blockShape')
    const paddings = pairsOf(attrs, 'paddings')
    const all = x.shape.map((_, axis): [number, number] => paddings[axis - 1] ?? [0, 0])
    const padded = padWith(value('x'), all, 0)
    const extents = [...padded.shape]
    const split = getReshaped(extents, block, sizeOf(block), false)
    const turned = transpose(reshape(padded, split), getPermuted(split.length, block.length, false))
    const shape = getReshapedPermuted(extents, block, sizeOf(block), false)
    return backend.make(reshape(turned, shape), shape, x.dtype)
  })
  registerNativeKernel(tf.BatchToSpaceND, ({ input, value, attrs, backend }) => {
    const x = input('x')
    const block = numbersOf(attrs, 'blockShape')
    const crops = pairsOf(attrs, 'crops')
    const split = getReshaped(x.shape, block, sizeOf(block))
    const turned = transpose(reshape(value('x'), split), getPermuted(split.length, block.length))
    const joint = getReshapedPermuted(x.shape, block, sizeOf(block))
    const begin = getSliceBeginCoords(crops, block.length)
    const shape = joint.map((extent, axis) => getSliceSize(joint, crops, block.length)[axis] ?? extent)
    const cuts = shape.map((size, axis) => ({ begin: begin[axis] ?? 0, size, step: 1 }))
    return backend.make(cut(reshape(turned, joint), cuts), shape, x.dtype)
  })
}
