import { z } from 'zod'
import { shape4 } from '../../../kernels/convolution.ts'
import type * as tf from '@tensorflow/tfjs-core'

const attrsSchema = z.object({
  alignCorners: z.boolean(),
  halfPixelCenters: z.boolean().optional(),
  size: z.tuple([z.number(), z.number()]).optional(),
})

/** How images are resized; sizes are [h, w] in pixels. */
export interface Resizing {
  readonly from: readonly [number, number]
  readonly to: readonly [number, number]
  readonly alignCorners: boolean
  readonly halfPixelCenters: boolean
}

/** Of images [n, h, w, c] to the size among the attributes, or to that of the gradient dy. */
export function resizingOf(images: tf.TensorInfo, attrs: unknown, dy: tf.TensorInfo | null): Resizing {
  const { alignCorners, halfPixelCenters = false, size } = attrsSchema.parse(attrs)
  const [, h, w] = shape4.parse(images.shape)
  const [oh, ow] = dy === null ? (size ?? [h, w]) : shape4.parse(dy.shape).slice(1, 3)
  return { from: [h, w], to: [oh ?? h, ow ?? w], alignCorners, halfPixelCenters }
}

/** Input pixels an output pixel, along an axis. */
export function ratioOf(size: number, outSize: number, { alignCorners }: Resizing): number {
  const aligned = alignCorners && outSize > 1
  return (aligned ? size - 1 : size) / (aligned ? outSize - 1 : outSize)
}

/** How many times as large it becomes, [down, across]; null where that is no whole number. */
export function enlargement({ from, to }: Resizing): [number, number] | null {
  const [down, across] = [to[0] / from[0], to[1] / from[1]]
  return Number.isInteger(down) && Number.isInteger(across) ? [down, across] : null
}
