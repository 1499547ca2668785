import type * as tf from '@tensorflow/tfjs-core'
import { transpose } from './graph/build.ts'
import type { ElementType, Held, Value } from './graph/types.ts'

/**
 * How a tensor's elements lie in the graph. `plain` is TensorFlow.js's own order; `channelsFirst` is [n, c, h, w] for a
 * tensor of the shape [n, h, w, c], as ONNX's convolutions and poolings want it.
 */
export type Layout = 'plain' | 'channelsFirst'

/** What stands behind a tensor of the recorder: a value in one layout or in both. */
export interface Recorded {
  readonly dtype: tf.DataType
  /** The layout in which it was made. */
  readonly layout: Layout
  readonly values: Partial<Record<Layout, Value>>
  references: number
}

const TO_CHANNELS_FIRST = [0, 3, 1, 2]
const TO_PLAIN = [0, 2, 3, 1]

/** The value of a tensor in a layout; turned around by a node where it is only there in the other one. */
export function valueIn(recorded: Recorded, layout: Layout): Value {
  const known = recorded.values[layout]
  if (known !== undefined) return known
  const other = recorded.values[layout === 'plain' ? 'channelsFirst' : 'plain']
  if (other === undefined) throw new Error('The tensor has no value.')
  const turned = transpose(other, layout === 'plain' ? TO_PLAIN : TO_CHANNELS_FIRST)
  recorded.values[layout] = turned
  return turned
}

/** The value in the layout it was made in. */
export function ownValue(recorded: Recorded): Value {
  return valueIn(recorded, recorded.layout)
}

export function channelsFirstShape([n = 1, h = 1, w = 1, c = 1]: readonly number[]): number[] {
  return [n, c, h, w]
}

export function elementTypeOf(dtype: tf.DataType): ElementType {
  if (dtype === 'float32' || dtype === 'int32' || dtype === 'bool') return dtype
  throw new Error(`Tensors of the type ${dtype} cannot be recorded.`)
}

export function holds(elements: Held['elements']): Held {
  return { elements, device: null }
}
