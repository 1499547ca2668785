import * as tf from '@tensorflow/tfjs-core'
import { emit } from '../../graph/build.ts'
import { channelsFirstShape } from '../../tensors.ts'
import { registerNativeKernel } from '../recorder.ts'
import { geometryOf, windowAttributes } from './geometry.ts'
import { poolingInfo } from './pooling.ts'
import type { Value } from '../../graph/types.ts'

export function registerMaxPool(): void {
  registerNativeKernel(tf.MaxPool, ({ input, value, attrs, backend }) => {
    const info = poolingInfo(input('x'), attrs)
    return backend.make(maximum(value('x', 'channelsFirst'), info), info.outShape, 'float32', 'channelsFirst')
  })
}

/** The maximum of each window of x [n, c, h, w]. */
export function maximum(x: Value, info: tf.backend_util.Conv2DInfo): Value {
  return emit('MaxPool', [x], channelsFirstShape(info.outShape), { attributes: windowAttributes(geometryOf(info)) })
}
