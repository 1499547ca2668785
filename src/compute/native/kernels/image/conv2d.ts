import * as tf from '@tensorflow/tfjs-core'
import { forwardInfo } from '../../../kernels/convolution.ts'
import { emit, int64s, transpose } from '../../graph/build.ts'
import { channelsFirstShape } from '../../tensors.ts'
import { registerNativeKernel } from '../recorder.ts'
import { regrouped } from '../reshaping.ts'
import { activated } from './activation.ts'
import { geometryOf, windowAttributes } from './geometry.ts'
import type { Value } from '../../graph/types.ts'
import type { KernelCall } from '../recorder.ts'

/** x [n, h, w, c] and filter [rows, columns, c, o] -> [n, oh, ow, o]; fused, with a bias [o] and an activation. */
export function registerConv2d(): void {
  registerNativeKernel(tf.Conv2D, (call) => convolution(call))
  registerNativeKernel(tf.FusedConv2D, (call) => convolution(call))
}

function convolution(call: KernelCall): tf.TensorInfo {
  const { input, value, optional, attrs, backend } = call
  const info = forwardInfo(input('x'), input('filter'), attrs)
  const geometry = geometryOf(info)
  const bias = optional('bias') === null ? null : biasOf(value('bias'), info.outChannels)
  const y = emit(
    'Conv',
    [value('x', 'channelsFirst'), transpose(value('filter'), [3, 2, 0, 1]), ...(bias === null ? [] : [bias])],
    channelsFirstShape(info.outShape),
    { attributes: windowAttributes(geometry) },
  )
  return backend.make(activated(call, y), info.outShape, 'float32', 'channelsFirst')
}

/** One number a channel, [channels]; given as such, with axes of one element before it, or as one for all. */
export function biasOf(bias: Value, channels: number): Value {
  const size = tf.util.sizeFromShape([...bias.shape])
  const flat = regrouped(bias, [size])
  return size === channels ? flat : emit('Expand', [flat, int64s([channels])], [channels])
}
