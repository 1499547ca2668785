import * as tf from '@tensorflow/tfjs-core'
import { asNumbers, convert } from './conversion.ts'
import { combine } from './elementwise.ts'
import { add } from './math.ts'
import { registerNativeKernel } from './recorder.ts'

/** The sum of tensors of one shape, which come as inputs named 0, 1, 2 and so on. */
export function registerAddN(): void {
  registerNativeKernel(tf.AddN, ({ inputs, backend }) => {
    const terms = Object.values(inputs).filter((term) => term !== undefined)
    const [first] = terms
    if (first === undefined) throw new Error('There is nothing to add.')
    return combine(backend, terms, first.dtype, (values) => {
      const [start, ...more] = values.map(asNumbers)
      if (start === undefined) throw new Error('There is nothing to add.')
      return convert(more.reduce(add, start), values[0]?.type ?? 'float32')
    })
  })
}
