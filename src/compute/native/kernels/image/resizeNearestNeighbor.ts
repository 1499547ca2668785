import * as tf from '@tensorflow/tfjs-core'
import { emit, int, int64s, ints } from '../../graph/build.ts'
import { channelsFirstShape } from '../../tensors.ts'
import { repeated } from '../../lowering/maxPoolGradient.ts'
import { registerNativeKernel } from '../recorder.ts'
import { multiply } from '../math.ts'
import { unmixed } from './mixing.ts'
import { enlargement, ratioOf, resizingOf } from './resizing.ts'
import type { Mix } from '../../../kernels/mixtures.ts'
import type { Value } from '../../graph/types.ts'
import type { Resizing } from './resizing.ts'

/** images [n, h, w, c] -> [n, ...size, c], each pixel a copy of one. */
export function registerResizeNearestNeighbor(): void {
  registerNativeKernel(tf.ResizeNearestNeighbor, ({ input, value, attrs, backend }) => {
    const images = input('images')
    const resizing = resizingOf(images, attrs, null)
    const [n = 0, , , c = 0] = images.shape
    const shape = [n, ...resizing.to, c]
    const y = resized(value('images', 'channelsFirst'), resizing)
    return backend.make(y, shape, images.dtype, 'channelsFirst')
  })
}

/** The gradient: each output's is added to the pixel that it was copied from. */
export function registerResizeNearestNeighborGrad(): void {
  registerNativeKernel(tf.ResizeNearestNeighborGrad, ({ input, value, attrs, backend }) => {
    const images = input('images')
    const resizing = resizingOf(images, attrs, input('dy'))
    const dx = gathered(value('dy', 'channelsFirst'), channelsFirstShape(images.shape), resizing)
    return backend.make(dx, images.shape, 'float32', 'channelsFirst')
  })
}

function resized(x: Value, resizing: Resizing): Value {
  const times = blocks(resizing)
  if (times !== null) return repeated(x, ...times)
  const [n = 1, c = 1, , w = 1] = x.shape
  const rows = emit('Gather', [x, int64s(sources(0, resizing))], [n, c, resizing.to[0], w], {
    attributes: { axis: int(2) },
  })
  return emit('Gather', [rows, int64s(sources(1, resizing))], [n, c, ...resizing.to], { attributes: { axis: int(3) } })
}

function gathered(dy: Value, shape: readonly number[], resizing: Resizing): Value {
  const times = blocks(resizing)
  if (times === null) return unmixed(dy, mixes(0, resizing), mixes(1, resizing), resizing.from)
  const [down, across] = times
  const mean = emit('AveragePool', [dy], shape, {
    attributes: { kernel_shape: ints(times), strides: ints(times), pads: ints([0, 0, 0, 0]) },
  })
  return multiply(mean, down * across)
}

/** Where each pixel just becomes a block of so many rows and columns. */
function blocks(resizing: Resizing): [number, number] | null {
  return resizing.alignCorners ? null : enlargement(resizing)
}

/** For each output index along an axis the input index that is copied, as TensorFlow.js rounds. */
function sources(axis: 0 | 1, resizing: Resizing): number[] {
  const [size, outSize] = [resizing.from[axis], resizing.to[axis]]
  const ratio = ratioOf(size, outSize, resizing)
  return Array.from({ length: outSize }, (_, i) => {
    const position = ratio * (resizing.halfPixelCenters ? i + 0.5 : i)
    return Math.max(0, Math.min(size - 1, resizing.alignCorners ? Math.round(position) : Math.floor(position)))
  })
}

function mixes(axis: 0 | 1, resizing: Resizing): Mix[] {
  return sources(axis, resizing).map((from, out) => ({ out, from, weight: 1 }))
}
