import * as tf from '@tensorflow/tfjs-core'
import { constant, emit, int64s } from '../../graph/build.ts'
import { dtypeOf, numberOf } from '../attributes.ts'
import { convert } from '../conversion.ts'
import { counting, filled } from '../filling.ts'
import { registerNativeKernel } from '../recorder.ts'
import type { ElementType, Value } from '../../graph/types.ts'

export function registerOneHot(): void {
  registerNativeKernel(tf.OneHot, ({ input, value, attrs, backend }) => {
    const { shape: places } = input('indices')
    const depth = numberOf(attrs, 'depth')
    const dtype = dtypeOf(attrs) ?? 'int32'
    // Where it has the shape of an image, it is made as the convolutions' outputs lie, to be compared with them.
    const layout = places.length === 3 ? 'channelsFirst' : 'plain'
    const axis = layout === 'plain' ? places.length : 1
    const indices = convert(value('indices'), 'int32')
    const spread = emit('Unsqueeze', [indices, int64s([axis])], places.toSpliced(axis, 0, 1))
    const numbers = counting(depth, layout === 'plain' ? [depth] : [depth, 1, 1])
    const hits = emit('Equal', [spread, numbers], places.toSpliced(axis, 0, depth), { type: 'bool' })
    const hot = chosen(hits, numberOf(attrs, 'onValue'), numberOf(attrs, 'offValue'), dtype)
    return backend.make(hot, [...places, depth], dtype, layout)
  })
}

function chosen(hits: Value, on: number, off: number, type: ElementType): Value {
  if (on === 1 && off === 0) return convert(hits, type)
  if (type === 'bool') return convert(chosen(hits, Number(on !== 0), Number(off !== 0), 'int32'), 'bool')
  const element = (value: number) => constant(filled(1, value, type), [], type)
  return emit('Where', [hits, element(on), element(off)], hits.shape, { type })
}
