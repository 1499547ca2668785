import * as tf from '@tensorflow/tfjs-core'
import { transpose } from '../../graph/build.ts'
import { channelsFirstShape, valueIn } from '../../tensors.ts'
import { layoutOf, registerNativeKernel } from '../recorder.ts'
import type { Value } from '../../graph/types.ts'

/** The place of each axis of an image [n, h, w, c] in [n, c, h, w]. */
const IN_CHANNELS_FIRST = [0, 2, 3, 1]

export interface Reduction {
  /** The attribute that says over which axes; `axis` unless given. */
  readonly axesIn?: string
  readonly dtype: (x: tf.DataType) => tf.DataType
  /**
   * The node or nodes: over `axes` of the value, which are kept with the extent 1, or left out; `shape` is the result's.
   * Without axes only the type may change.
   */
  readonly work: (x: Value, axes: readonly number[], keep: boolean, shape: readonly number[]) => Value
}

/** Registers a kernel of the input `x` that leaves one element of many. An image is reduced in the layout it has. */
export function registerReduction(kernelName: string, { axesIn = 'axis', dtype, work }: Reduction): void {
  registerNativeKernel(kernelName, ({ input, attrs, backend }) => {
    const x = input('x')
    const axes = axesOf(attrs[axesIn], x.shape)
    const keep = attrs.keepDims === true
    const layout = x.shape.length === 4 ? layoutOf(backend, x) : 'plain'
    const kept = x.shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent))
    const left = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis))
    const shape = keep ? kept : left.map((axis) => x.shape[axis] ?? 1)
    const value = valueIn(backend.recorded(x), layout)
    const type = dtype(x.dtype)
    if (layout === 'plain') return backend.make(work(value, axes, keep, shape), shape, type)
    const turned = axes.map((axis) => IN_CHANNELS_FIRST[axis] ?? 0).sort((a, b) => a - b)
    if (keep) return backend.make(work(value, turned, true, channelsFirstShape(kept)), shape, type, 'channelsFirst')
    // The axes that are left, in the order in which they come out: to be put back in order where it is another one.
    const order = [...left].sort((a, b) => (IN_CHANNELS_FIRST[a] ?? 0) - (IN_CHANNELS_FIRST[b] ?? 0))
    const result = work(
      value,
      turned,
      false,
      order.map((axis) => x.shape[axis] ?? 1),
    )
    if (order.join() === left.join()) return backend.make(result, shape, type)
    return backend.make(
      transpose(
        result,
        left.map((axis) => order.indexOf(axis)),
      ),
      shape,
      type,
    )
  })
}

function axesOf(given: unknown, shape: number[]): number[] {
  const axes = typeof given === 'number' || isNumbers(given) ? given : shape.map((_, axis) => axis)
  return tf.util.parseAxisParam(axes, shape).sort((a, b) => a - b)
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'number')
}
