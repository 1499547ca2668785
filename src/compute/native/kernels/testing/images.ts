import * as tf from '@tensorflow/tfjs-core'
import { randomValues } from '../../../kernels/testing/random.ts'
import { NativeBackend } from '../../backend.ts'
import { valueIn } from '../../tensors.ts'
import type { Choice } from '../../../kernels/testing/random.ts'

/** The tensor as a convolution gives images on the recorder: channels first. The tensor itself elsewhere. */
export function asImage<T extends tf.Tensor>(x: T): T {
  const backend: unknown = tf.backend()
  if (x.rank !== 4 || !(backend instanceof NativeBackend)) return x
  const value = valueIn(backend.recorded(x), 'channelsFirst')
  return tf.engine().makeTensorFromTensorInfo(backend.make(value, x.shape, x.dtype, 'channelsFirst')) as T
}

/** A tensor of seeded values in [-scale, scale), of four dimensions and channels first where `image` says so. */
export function randomTensor(shape: readonly number[], seed: number, { scale = 1, image = false } = {}): tf.Tensor {
  const x = tf.tensor(
    randomValues(shape, seed).map((value) => scale * value),
    [...shape],
  )
  return image ? asImage(x) : x
}

/** A shape of so many dimensions, odd extents and 1 among them. */
export function randomShape({ of }: Choice, rank: number): number[] {
  return Array.from({ length: rank }, () => of([1, 2, 3, 5]))
}

/** A shape that broadcasts with the given one: a few leading dimensions less, and some of the extent 1. */
export function broadcastingShape({ whole, of }: Choice, shape: readonly number[]): number[] {
  return shape.slice(whole(0, shape.length)).map((extent) => of([1, extent, extent]))
}
