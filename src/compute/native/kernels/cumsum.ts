import * as tf from '@tensorflow/tfjs-core'
import { emit, int, scalar } from '../graph/build.ts'
import { asNumbers } from './conversion.ts'
import { registerNativeKernel } from './recorder.ts'

/** Sums up to each element along an axis: with it or (`exclusive`) without it; from the end where `reverse` says so. */
export function registerCumsum(): void {
  registerNativeKernel(tf.Cumsum, ({ input, value, attrs, backend }) => {
    const x = input('x')
    const [axis] = tf.util.parseAxisParam(typeof attrs.axis === 'number' ? attrs.axis : 0, x.shape)
    const attributes = {
      exclusive: int(attrs.exclusive === true ? 1 : 0),
      reverse: int(attrs.reverse === true ? 1 : 0),
    }
    const sums = emit('CumSum', [asNumbers(value('x')), scalar(axis ?? 0, 'int32')], x.shape, { attributes })
    return backend.make(sums, x.shape, tf.upcastType(x.dtype, 'int32'))
  })
}
