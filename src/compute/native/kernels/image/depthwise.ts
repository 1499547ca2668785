import * as tf from '@tensorflow/tfjs-core'
import { depthwiseInfo } from '../../../kernels/convolution.ts'
import { emit, int, reshape, transpose } from '../../graph/build.ts'
import { channelsFirstShape } from '../../tensors.ts'
import { registerNativeKernel } from '../recorder.ts'
import { activated } from './activation.ts'
import { biasOf } from './conv2d.ts'
import { geometryOf, windowAttributes } from './geometry.ts'
import type { Value } from '../../graph/types.ts'
import type { KernelCall } from '../recorder.ts'

/**
 * x [n, h, w, c] and filter [rows, columns, c, m] -> [n, oh, ow, c * m]: output c * m + k is channel c by filter k of this
 * channel. Fused, with a bias [c * m] and an activation.
 */
export function registerDepthwiseConvolution(): void {
  registerNativeKernel(tf.DepthwiseConv2dNative, (call) => convolution(call))
  registerNativeKernel(tf.FusedDepthwiseConv2D, (call) => convolution(call))
}

function convolution(call: KernelCall): tf.TensorInfo {
  const { input, value, optional, attrs, backend } = call
  const info = depthwiseInfo(attrs, input('x'), input('filter'))
  const bias = optional('bias') === null ? null : biasOf(value('bias'), info.outChannels)
  const inputs = [value('x', 'channelsFirst'), filtersOf(value('filter')), ...(bias === null ? [] : [bias])]
  const y = emit('Conv', inputs, channelsFirstShape(info.outShape), {
    attributes: { ...windowAttributes(geometryOf(info)), group: int(info.inChannels) },
  })
  return backend.make(activated(call, y), info.outShape, 'float32', 'channelsFirst')
}

/** [rows, columns, c, m] -> [c * m, 1, rows, columns]. */
export function filtersOf(filter: Value): Value {
  const [rows = 1, columns = 1, c = 1, m = 1] = filter.shape
  return reshape(transpose(filter, [2, 3, 0, 1]), [c * m, 1, rows, columns])
}
