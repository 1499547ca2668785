import * as tf from '@tensorflow/tfjs-core'
import { inputGradientInfo } from '../../../kernels/convolution.ts'
import { channelsFirstShape } from '../../tensors.ts'
import { registerNativeKernel } from '../recorder.ts'
import { geometryOf } from './geometry.ts'
import { INPUT_GRADIENT, composite } from '../../lowering/composite.ts'

/**
 * The gradient of a convolution by its input, which is also how TensorFlow.js computes a transposed convolution.
 * dy [n, oh, ow, o] and filter [rows, columns, c, o] -> [n, h, w, c].
 */
export function registerConv2dBackpropInput(): void {
  registerNativeKernel(tf.Conv2DBackpropInput, ({ input, value, attrs, backend }) => {
    const info = inputGradientInfo(input('filter'), attrs)
    const dx = composite(
      INPUT_GRADIENT,
      [value('dy', 'channelsFirst'), value('filter')],
      channelsFirstShape(info.inShape),
      geometryOf(info),
    )
    return backend.make(dx, info.inShape, 'float32', 'channelsFirst')
  })
}
