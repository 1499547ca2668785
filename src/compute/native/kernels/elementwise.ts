import * as tf from '@tensorflow/tfjs-core'
import { emit, reshape } from '../graph/build.ts'
import { channelsFirstShape, valueIn } from '../tensors.ts'
import type { NativeBackend } from '../backend.ts'
import type { Value } from '../graph/types.ts'
import type { Layout } from '../tensors.ts'

/**
 * The layout in which elementwise work on these tensors is done: channels first where one of full size was made so, for
 * turning an image around costs as much as the work. Others must be turnable: of four dimensions, or constants along all
 * but the last.
 */
export function commonLayout(backend: NativeBackend, tensors: readonly tf.TensorInfo[]): Layout {
  return tensors.some((tensor) => backend.recorded(tensor).layout === 'channelsFirst') ? 'channelsFirst' : 'plain'
}

/** The tensor's value as it broadcasts against images in this layout. */
export function broadcastable(backend: NativeBackend, tensor: tf.TensorInfo, layout: Layout): Value {
  const recorded = backend.recorded(tensor)
  const { shape } = tensor
  if (layout === 'plain' || shape.length === 0) return valueIn(recorded, 'plain')
  if (shape.length === 4) return valueIn(recorded, 'channelsFirst')
  // [c], [w, c] and [h, w, c] stand for [1, h, w, c].
  const value = valueIn(recorded, 'plain')
  const [h = 1, w = 1, c = 1] = [...Array<number>(3 - shape.length).fill(1), ...shape]
  if (h === 1 && w === 1) return reshape(value, [c, 1, 1])
  return emit('Transpose', [reshape(value, [h, w, c])], [c, h, w], {
    attributes: { perm: { kind: 'ints', value: [2, 0, 1] } },
  })
}

/**
 * Work element by element, with broadcasting; `dtype` is the result's. `work` is given the values as they broadcast against
 * one another, and the result's shape in their layout.
 */
export function combine(
  backend: NativeBackend,
  tensors: readonly tf.TensorInfo[],
  dtype: tf.DataType,
  work: (values: Value[], shape: readonly number[]) => Value,
): tf.TensorInfo {
  const shape = tensors.reduce<number[]>(
    (all, tensor) => tf.broadcast_util.assertAndGetBroadcastShape(all, tensor.shape),
    [],
  )
  const layout = shape.length === 4 ? commonLayout(backend, tensors) : 'plain'
  const values = tensors.map((tensor) => broadcastable(backend, tensor, layout))
  const value = work(values, layout === 'plain' ? shape : channelsFirstShape(shape))
  return backend.make(value, shape, dtype, layout)
}
