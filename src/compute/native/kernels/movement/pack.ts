import * as tf from '@tensorflow/tfjs-core'
import { emit, int64s } from '../../graph/build.ts'
import { valueIn } from '../../tensors.ts'
import { numberOf } from '../attributes.ts'
import { joined } from './concat.ts'
import { registerNativeKernel } from '../recorder.ts'

export function registerPack(): void {
  registerNativeKernel(tf.Pack, ({ inputs, attrs, backend }) => {
    const tensors = Object.values(inputs).filter((tensor) => tensor !== undefined)
    const [first] = tensors
    if (first === undefined) throw new Error('Pack takes tensors.')
    const given = numberOf(attrs, 'axis')
    const axis = given < 0 ? given + first.shape.length + 1 : given
    const values = tensors.map((tensor) => {
      tf.util.assertShapesMatch(tensor.shape, first.shape, 'Pack takes tensors of one shape. ')
      const shape = tensor.shape.toSpliced(axis, 0, 1)
      return emit('Unsqueeze', [valueIn(backend.recorded(tensor), 'plain'), int64s([axis])], shape)
    })
    const shape = first.shape.toSpliced(axis, 0, tensors.length)
    return backend.make(joined(values, axis, shape), shape, first.dtype)
  })
}
