import * as tf from '@tensorflow/tfjs-core'
import { neighbourMixes } from '../../../kernels/mixtures.ts'
import { constant, emit, int64s, text } from '../../graph/build.ts'
import { channelsFirstShape } from '../../tensors.ts'
import { registerNativeKernel } from '../recorder.ts'
import { unmixed } from './mixing.ts'
import { enlargement, ratioOf, resizingOf } from './resizing.ts'
import type { Mix } from '../../../kernels/mixtures.ts'
import type { Value } from '../../graph/types.ts'
import type { Resizing } from './resizing.ts'

/** images [n, h, w, c] -> [n, ...size, c], each pixel mixed of its four neighbours. */
export function registerResizeBilinear(): void {
  registerNativeKernel(tf.ResizeBilinear, ({ input, value, attrs, backend }) => {
    const images = input('images')
    const resizing = resizingOf(images, attrs, null)
    const [n = 0, , , c = 0] = images.shape
    const shape = [n, ...resizing.to, c]
    const y = resized(value('images', 'channelsFirst'), channelsFirstShape(shape), resizing)
    return backend.make(y, shape, 'float32', 'channelsFirst')
  })
}

/** The gradient: each output's is added to the four pixels that it was mixed of, by their weights. */
export function registerResizeBilinearGrad(): void {
  registerNativeKernel(tf.ResizeBilinearGrad, ({ input, value, attrs, backend }) => {
    const images = input('images')
    const resizing = resizingOf(images, attrs, input('dy'))
    const dx = unmixed(value('dy', 'channelsFirst'), mixes(0, resizing), mixes(1, resizing), resizing.from)
    return backend.make(dx, images.shape, 'float32', 'channelsFirst')
  })
}

function resized(x: Value, shape: readonly number[], resizing: Resizing): Value {
  const { alignCorners, halfPixelCenters } = resizing
  const coordinates = alignCorners ? 'align_corners' : halfPixelCenters ? 'half_pixel' : 'asymmetric'
  const attributes = { mode: text('linear'), coordinate_transformation_mode: text(coordinates) }
  const times = enlargement(resizing)
  const inputs =
    times === null
      ? [x, null, null, int64s(shape)]
      : [x, null, constant(Float32Array.of(1, 1, ...times), [4], 'float32')]
  return emit('Resize', inputs, shape, { attributes })
}

function mixes(axis: 0 | 1, resizing: Resizing): Mix[] {
  const [size, outSize] = [resizing.from[axis], resizing.to[axis]]
  return neighbourMixes(size, outSize, ratioOf(size, outSize, resizing), resizing.halfPixelCenters)
}
