import * as tf from '@tensorflow/tfjs-core'
import { emit, int } from '../../graph/build.ts'
import { channelsFirstShape } from '../../tensors.ts'
import { registerNativeKernel } from '../recorder.ts'
import { geometryOf, windowAttributes } from './geometry.ts'
import { poolingInfo } from './pooling.ts'

/** The mean of each window's pixels; padding is not among them. */
export function registerAvgPool(): void {
  registerNativeKernel(tf.AvgPool, ({ input, value, attrs, backend }) => {
    const info = poolingInfo(input('x'), attrs)
    const { dilations: _, ...attributes } = windowAttributes(geometryOf(info))
    const y = emit('AveragePool', [value('x', 'channelsFirst')], channelsFirstShape(info.outShape), {
      attributes: { ...attributes, count_include_pad: int(0) },
    })
    return backend.make(y, info.outShape, 'float32', 'channelsFirst')
  })
}
