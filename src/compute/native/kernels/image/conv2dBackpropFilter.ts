import * as tf from '@tensorflow/tfjs-core'
import { filterGradientInfo } from '../../../kernels/convolution.ts'
import { FILTER_GRADIENT, composite } from '../../lowering/composite.ts'
import { registerNativeKernel } from '../recorder.ts'
import { geometryOf } from './geometry.ts'

/** The gradient of a convolution by its filter. x [n, h, w, c] and dy [n, oh, ow, o] -> [rows, columns, c, o]. */
export function registerConv2dBackpropFilter(): void {
  registerNativeKernel(tf.Conv2DBackpropFilter, ({ input, value, attrs, backend }) => {
    const info = filterGradientInfo(input('x'), attrs)
    const dw = composite(
      FILTER_GRADIENT,
      [value('x', 'channelsFirst'), value('dy', 'channelsFirst')],
      info.filterShape,
      geometryOf(info),
    )
    return backend.make(dw, info.filterShape, 'float32')
  })
}
