import * as tf from '@tensorflow/tfjs-core'
import { elementTypeOf } from '../tensors.ts'
import { asNumbers, convert } from './conversion.ts'
import { combine } from './elementwise.ts'
import { where } from './math.ts'
import { registerNativeKernel } from './recorder.ts'

/** `t` where the condition holds, else `e`. */
export function registerSelect(): void {
  registerNativeKernel(tf.Select, ({ input, backend }) => {
    const [condition, t, e] = [input('condition'), input('t'), input('e')]
    const dtype = tf.upcastType(t.dtype, e.dtype)
    const type = elementTypeOf(dtype)
    return combine(backend, [condition, t, e], dtype, ([chosen, yes, no]) => {
      if (chosen === undefined || yes === undefined || no === undefined) throw new Error('Three are needed.')
      const choice = where(convert(chosen, 'bool'), asNumbers(convert(yes, type)), asNumbers(convert(no, type)))
      return convert(choice, type)
    })
  })
}
