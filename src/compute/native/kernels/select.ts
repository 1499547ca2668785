import * as tf from '@tensorflow/tfjs-core'
import { reshape } from '../graph/build.ts'
import { elementTypeOf } from '../tensors.ts'
import { asNumbers, convert } from './conversion.ts'
import { combine } from './elementwise.ts'
import { where } from './math.ts'
import { registerNativeKernel } from './recorder.ts'
import type { Value } from '../graph/types.ts'

/** `t` where the condition holds, else `e`. A condition of one dimension chooses along the first axis of the others. */
export function registerSelect(): void {
  registerNativeKernel(tf.Select, ({ input, value, backend }) => {
    const [condition, t, e] = [input('condition'), input('t'), input('e')]
    const dtype = tf.upcastType(t.dtype, e.dtype)
    const type = elementTypeOf(dtype)
    const choose = (chosen: Value, yes: Value, no: Value) =>
      convert(where(convert(chosen, 'bool'), asNumbers(convert(yes, type)), asNumbers(convert(no, type))), type)
    if (condition.shape.length === 1 && t.shape.length > 1) {
      const rows = reshape(value('condition'), [...condition.shape, ...Array<number>(t.shape.length - 1).fill(1)])
      return combine(backend, [t, e], dtype, (values) => choose(rows, ...both(values)))
    }
    return combine(backend, [condition, t, e], dtype, ([chosen, ...values]) => {
      if (chosen === undefined) throw new Error('Three values were expected.')
      return choose(chosen, ...both(values))
    })
  })
}

function both([yes, no]: readonly Value[]): [Value, Value] {
  if (yes === undefined || no === undefined) throw new Error('Two values were expected.')
  return [yes, no]
}
