import * as tf from '@tensorflow/tfjs-core'
import { emitSeveral, int, int64s } from '../../graph/build.ts'
import { numberOf } from '../attributes.ts'
import { asNumbers, convert } from '../conversion.ts'
import { registerNativeKernel } from '../recorder.ts'

/** The largest along the last axis; of equal ones, the first. */
export function registerTopK(): void {
  registerNativeKernel(tf.TopK, ({ input, value, attrs, backend }) => {
    const x = input('x')
    const k = numberOf(attrs, 'k')
    const shape = [...x.shape.slice(0, -1), k]
    const from = value('x')
    const numbers = asNumbers(from)
    const [values, indices] = emitSeveral(
      'TopK',
      [numbers, int64s([k])],
      [
        { shape, type: numbers.type },
        { shape, type: 'int64' },
      ],
      { attributes: { axis: int(-1), sorted: int(attrs.sorted === false ? 0 : 1) } },
    )
    if (values === undefined || indices === undefined) throw new Error('TopK has two outputs.')
    return [
      backend.make(convert(values, from.type), shape, x.dtype),
      backend.make(convert(indices, 'int32'), shape, 'int32'),
    ]
  })
}
