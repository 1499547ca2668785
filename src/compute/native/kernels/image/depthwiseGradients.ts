import * as tf from '@tensorflow/tfjs-core'
import { depthwiseInfo } from '../../../kernels/convolution.ts'
import { emit, int, int64s, ints, reshape } from '../../graph/build.ts'
import { channelsFirstShape } from '../../tensors.ts'
import { padded4, tapOf } from '../../lowering/filterGradient.ts'
import { multiply } from '../math.ts'
import { joined } from '../movement/concat.ts'
import { registerNativeKernel } from '../recorder.ts'
import { filtersOf } from './depthwise.ts'
import { geometryOf, spanOf } from './geometry.ts'

/** The gradient of a depthwise convolution by its input. dy [n, oh, ow, c * m], filter [rows, columns, c, m] -> [n, h, w, c]. */
export function registerDepthwiseInputGradient(): void {
  registerNativeKernel(tf.DepthwiseConv2dNativeBackpropInput, ({ input, value, attrs, backend }) => {
    const info = depthwiseInfo(attrs, null, input('filter'))
    const { kernel, strides, dilations, top, left } = geometryOf(info)
    const [down, across] = spanOf({ kernel, dilations })
    const bottom = (info.outHeight - 1) * strides[0] + down - top - info.inHeight
    const right = (info.outWidth - 1) * strides[1] + across - left - info.inWidth
    const dx = emit(
      'ConvTranspose',
      [value('dy', 'channelsFirst'), filtersOf(value('filter'))],
      channelsFirstShape(info.inShape),
      {
        attributes: {
          ...{ kernel_shape: ints(kernel), strides: ints(strides), dilations: ints(dilations) },
          pads: ints([top, left, Math.max(0, bottom), Math.max(0, right)]),
          output_padding: ints([Math.max(0, -bottom), Math.max(0, -right)]),
          group: int(info.inChannels),
        },
      },
    )
    return backend.make(dx, info.inShape, 'float32', 'channelsFirst')
  })
}

/** The gradient of a depthwise convolution by its filter. x [n, h, w, c], dy [n, oh, ow, c * m] -> [rows, columns, c, m]. */
export function registerDepthwiseFilterGradient(): void {
  registerNativeKernel(tf.DepthwiseConv2dNativeBackpropFilter, ({ input, value, attrs, backend }) => {
    const info = depthwiseInfo(attrs, input('x'), null)
    const geometry = geometryOf(info)
    const { batchSize: n, inChannels: c, outHeight, outWidth, filterShape } = info
    const [rows, columns, , m] = filterShape
    const pixels = outHeight * outWidth
    const dy = value('dy', 'channelsFirst')
    const padded = padded4(value('x', 'channelsFirst'), geometry)
    const gradients = reshape(dy, [n, c, m, pixels])
    const taps = Array.from({ length: rows * columns }, (_, tap) => {
      const under = reshape(tapOf(padded, tap, dy.shape, geometry), [n, c, 1, pixels])
      return emit('ReduceSum', [multiply(under, gradients), int64s([0, 3])], [1, c, m, 1], {
        attributes: { keepdims: int(1) },
      })
    })
    const dw = reshape(joined(taps, 0, [rows * columns, c, m, 1]), filterShape)
    return backend.make(dw, filterShape, 'float32')
  })
}
