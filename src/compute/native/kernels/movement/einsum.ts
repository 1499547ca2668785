import * as tf from '@tensorflow/tfjs-core'
import { emit, text } from '../../graph/build.ts'
import { valueIn } from '../../tensors.ts'
import { registerNativeKernel } from '../recorder.ts'

/** Sums of products by an equation such as "ij,jk->ik". */
export function registerEinsum(): void {
  registerNativeKernel(tf.Einsum, ({ inputs, attrs, backend }) => {
    const tensors = Object.values(inputs).filter((tensor) => tensor !== undefined)
    const { equation } = attrs
    if (typeof equation !== 'string') throw new Error('Einsum takes an equation.')
    const [given = '', result = ''] = equation.replace(/\s/g, '').split('->')
    const extents = new Map<string, number>()
    given.split(',').forEach((axes, which) => {
      Array.from(axes).forEach((axis, at) => extents.set(axis, tensors[which]?.shape[at] ?? 1))
    })
    const shape = Array.from(result, (axis) => extents.get(axis) ?? 1)
    const values = tensors.map((tensor) => valueIn(backend.recorded(tensor), 'plain'))
    const product = emit('Einsum', values, shape, { attributes: { equation: text(`${given}->${result}`) } })
    return backend.make(product, shape, tensors[0]?.dtype ?? 'float32')
  })
}
