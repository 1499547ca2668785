import * as tf from '@tensorflow/tfjs-core'
import { channelsFirstShape } from '../../tensors.ts'
import { MAX_POOL_GRADIENT, composite } from '../../lowering/composite.ts'
import { registerNativeKernel } from '../recorder.ts'
import { geometryOf } from './geometry.ts'
import { maximum } from './maxPool.ts'
import { poolingInfo } from './pooling.ts'

/**
 * The gradient of max pooling: each output's goes to the first pixel of its window, in row order, that holds the maximum,
 * and never to several. dy [n, oh, ow, c], input [n, h, w, c] -> [n, h, w, c].
 */
export function registerMaxPoolGrad(): void {
  registerNativeKernel(tf.MaxPoolGrad, ({ input, value, attrs, backend }) => {
    const info = poolingInfo(input('input'), attrs)
    const x = value('input', 'channelsFirst')
    const dx = composite(
      MAX_POOL_GRADIENT,
      // The same node as the forward pooling's: equal nodes are computed once.
      [x, maximum(x, info), value('dy', 'channelsFirst')],
      channelsFirstShape(info.inShape),
      geometryOf(info),
    )
    return backend.make(dx, info.inShape, 'float32', 'channelsFirst')
  })
}
