import * as tf from '@tensorflow/tfjs-core'
import { emit, int } from '../../graph/build.ts'
import { elementTypeOf, valueIn } from '../../tensors.ts'
import { numberOf } from '../attributes.ts'
import { arranged, placeOf } from '../axes.ts'
import { convert } from '../conversion.ts'
import { commonLayout } from '../elementwise.ts'
import { uniform } from '../filling.ts'
import { registerNativeKernel } from '../recorder.ts'
import type { Value } from '../../graph/types.ts'

export function registerConcat(): void {
  registerNativeKernel(tf.Concat, ({ inputs, attrs, backend }) => {
    const all = Object.values(inputs).filter((tensor) => tensor !== undefined)
    const [first] = all
    if (first === undefined) throw new Error('Concat takes tensors.')
    const [axis = 0] = tf.util.parseAxisParam(numberOf(attrs, 'axis'), first.shape)
    const shapes = all.map(({ shape }) => shape)
    tf.backend_util.assertParamsConsistent(shapes, axis)
    const shape = tf.backend_util.computeOutShape(shapes, axis)
    const given = all.filter((tensor) => tf.util.sizeFromShape(tensor.shape) > 0)
    if (given.length === 0) return backend.make(uniform(0, shape, elementTypeOf(first.dtype)), shape, first.dtype)
    const layout = shape.length === 4 ? commonLayout(backend, given) : 'plain'
    const { type } = valueIn(backend.recorded(first), layout)
    const values = given.map((tensor) => convert(valueIn(backend.recorded(tensor), layout), type))
    const value = joined(values, placeOf(axis, shape.length, layout), arranged(shape, layout))
    return backend.make(value, shape, first.dtype, layout)
  })
}

/** Values one after the other along an axis. */
export function joined(values: readonly Value[], axis: number, shape: readonly number[]): Value {
  const [only, ...more] = values
  if (only === undefined) throw new Error('Nothing to join.')
  return more.length === 0 ? only : emit('Concat', values, shape, { attributes: { axis: int(axis) } })
}
