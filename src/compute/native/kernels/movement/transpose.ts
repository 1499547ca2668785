import * as tf from '@tensorflow/tfjs-core'
import { transpose } from '../../graph/build.ts'
import { numbersOf } from '../attributes.ts'
import { arranged, placeOf } from '../axes.ts'
import { layoutOf, registerNativeKernel } from '../recorder.ts'
import type { Value } from '../../graph/types.ts'
import type { Layout } from '../../tensors.ts'

export function registerTranspose(): void {
  registerNativeKernel(tf.Transpose, ({ input, value, attrs, backend }) => {
    const x = input('x')
    const perm = numbersOf(attrs, 'perm')
    const shape = perm.map((axis) => x.shape[axis] ?? 1)
    const layout = layoutOf(backend, x)
    const places = perm.map((axis) => placeOf(axis, perm.length, layout))
    // What only passes from one order to the other costs nothing in the right layout.
    const target: Layout =
      shape.length === 4 && isInOrder(arranged(places, 'channelsFirst')) ? 'channelsFirst' : 'plain'
    return backend.make(ordered(value('x', layout), arranged(places, target)), shape, x.dtype, target)
  })
}

function ordered(value: Value, order: readonly number[]): Value {
  return isInOrder(order) ? value : transpose(value, order)
}

function isInOrder(order: readonly number[]): boolean {
  return order.every((axis, place) => axis === place)
}
