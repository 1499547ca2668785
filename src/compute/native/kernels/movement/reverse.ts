import * as tf from '@tensorflow/tfjs-core'
import { numbersOf } from '../attributes.ts'
import { placeOf } from '../axes.ts'
import { layoutOf, registerNativeKernel } from '../recorder.ts'
import { reversed } from '../slicing.ts'

export function registerReverse(): void {
  registerNativeKernel(tf.Reverse, ({ input, value, attrs, backend }) => {
    const x = input('x')
    const rank = x.shape.length
    const layout = layoutOf(backend, x)
    const axes = rank === 0 ? [] : tf.util.parseAxisParam(numbersOf(attrs, 'dims'), x.shape)
    const places = axes.map((axis) => placeOf(axis, rank, layout))
    return backend.make(reversed(value('x', layout), places), x.shape, x.dtype, layout)
  })
}
