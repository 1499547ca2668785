import * as tf from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { pair, shape4 } from '../../../kernels/convolution.ts'

const pads = z.tuple([z.number(), z.number()])
const attrsSchema = z.object({
  filterSize: pair,
  strides: pair,
  pad: z.union([z.enum(['same', 'valid']), z.number(), z.tuple([pads, pads, pads, pads])]),
  dimRoundingMode: z.enum(['floor', 'round', 'ceil', '']).nullish(),
})

/** The geometry of a pooling of x [n, h, w, c]. Sizes in pixels. */
export function poolingInfo(x: tf.TensorInfo, attrs: unknown): tf.backend_util.Conv2DInfo {
  const { filterSize, strides, pad, dimRoundingMode } = attrsSchema.parse(attrs)
  const rounding = dimRoundingMode === '' ? undefined : (dimRoundingMode ?? undefined)
  return tf.backend_util.computePool2DInfo(shape4.parse(x.shape), filterSize, strides, 1, pad, rounding)
}
