import { backend_util } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import type * as tf from '@tensorflow/tfjs-core'

export const pair = z.union([z.number(), z.tuple([z.number(), z.number()])])
export const shape4 = z.tuple([z.number(), z.number(), z.number(), z.number()])
const explicitPad = z.tuple([
  z.tuple([z.number(), z.number()]),
  z.tuple([z.number(), z.number()]),
  z.tuple([z.number(), z.number()]),
  z.tuple([z.number(), z.number()]),
])
const geometryAttrs = z.object({
  strides: pair,
  dilations: pair.nullish(),
  pad: z.union([z.enum(['same', 'valid']), z.number(), explicitPad]),
  dataFormat: z.enum(['NHWC', 'NCHW']),
  dimRoundingMode: z.enum(['floor', 'round', 'ceil', '']).nullish(),
})
const filterGradientAttrs = geometryAttrs.extend({ filterShape: shape4 })
const inputGradientAttrs = geometryAttrs.extend({ inputShape: shape4 })
const depthwiseAttrs = geometryAttrs
  .omit({ dataFormat: true })
  .extend({ inputShape: shape4.optional(), filterShape: shape4.optional() })

/** The geometry of a convolution. Sizes in pixels. */
export function forwardInfo(x: tf.TensorInfo, filter: tf.TensorInfo, attrs: unknown): backend_util.Conv2DInfo {
  return info(shape4.parse(x.shape), shape4.parse(filter.shape), geometryAttrs.parse(attrs))
}

/** The geometry of the convolution whose filter gradient is asked for. Sizes in pixels, channels last. */
export function filterGradientInfo(x: tf.TensorInfo, attrs: unknown): backend_util.Conv2DInfo {
  const { filterShape, ...rest } = filterGradientAttrs.parse(attrs)
  return info(shape4.parse(x.shape), filterShape, rest)
}

/** The geometry of the convolution whose input gradient is asked for. */
export function inputGradientInfo(filter: tf.TensorInfo, attrs: unknown): backend_util.Conv2DInfo {
  const { inputShape, ...rest } = inputGradientAttrs.parse(attrs)
  return info(inputShape, shape4.parse(filter.shape), rest)
}

/** The geometry of a depthwise convolution; where a gradient is asked for, one of the shapes is among the attributes. */
export function depthwiseInfo(
  attrs: unknown,
  x: tf.TensorInfo | null,
  filter: tf.TensorInfo | null,
): backend_util.Conv2DInfo {
  const { strides, dilations, pad, dimRoundingMode, inputShape, filterShape } = depthwiseAttrs.parse(attrs)
  return backend_util.computeConv2DInfo(
    shape4.parse(x?.shape ?? inputShape),
    shape4.parse(filter?.shape ?? filterShape),
    strides,
    dilations ?? 1,
    pad,
    dimRoundingMode === '' ? undefined : (dimRoundingMode ?? undefined),
    true,
  )
}

function info(
  inShape: [number, number, number, number],
  filterShape: [number, number, number, number],
  attrs: z.infer<typeof geometryAttrs>,
): backend_util.Conv2DInfo {
  return backend_util.computeConv2DInfo(
    inShape,
    filterShape,
    attrs.strides,
    attrs.dilations ?? 1,
    attrs.pad,
    attrs.dimRoundingMode === '' ? undefined : (attrs.dimRoundingMode ?? undefined),
    false,
    backend_util.convertConv2DDataFormat(attrs.dataFormat),
  )
}
