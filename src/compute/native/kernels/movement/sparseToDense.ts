import * as tf from '@tensorflow/tfjs-core'
import { emit, int64s } from '../../graph/build.ts'
import { numbersOf } from '../attributes.ts'
import { convert } from '../conversion.ts'
import { registerNativeKernel } from '../recorder.ts'
import { regrouped } from '../reshaping.ts'
import { scatter, scattered } from './scattering.ts'

/** One value for all places, or one for each; the default value elsewhere. */
export function registerSparseToDense(): void {
  registerNativeKernel(tf.SparseToDense, ({ input, value, attrs, backend }) => {
    const values = input('sparseValues')
    const shape = numbersOf(attrs, 'outputShape')
    const given = value('sparseValues')
    const elsewhere = regrouped(convert(value('defaultValue'), given.type), [])
    const base = emit('Expand', [elsewhere, int64s(shape)], shape)
    const where = scattered(values, input('sparseIndices'), value('sparseIndices'), shape)
    return backend.make(scatter(base, given, where, false), shape, values.dtype)
  })
}
