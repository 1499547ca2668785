import { emit, int, int64s, reshape } from '../../graph/build.ts'
import { padWith } from '../../kernels/movement/pad.ts'
import { convert } from '../../kernels/conversion.ts'
import type { Attributes, Value } from '../../graph/types.ts'

/**
 * ONNX Runtime's blocked layout of images on the processor: [n, C / B, h, w, B] in memory, where B channels (16 with AVX-512,
 * 8 with AVX2) fill a register of the processor and C is the number of channels rounded up to whole blocks. Its operations
 * (domain com.microsoft.nchwc) and others know such a value as [n, C, h, w].
 */
export interface Blocked {
  readonly value: Value
  /** Channels that count; the lanes behind them are spare. */
  readonly channels: number
  /** What the spare lanes hold: zeros, or at least nothing infinite. */
  readonly spare: 'zero' | 'finite'
}

export const wholeBlocks = (channels: number, block: number): number => Math.ceil(channels / block) * block

/** An operation on blocked images. */
export function blockedNode(
  op: string,
  inputs: readonly (Value | null)[],
  shape: readonly number[],
  attributes: Attributes,
): Value {
  return emit(op, inputs, shape, { domain: 'com.microsoft.nchwc', attributes })
}

/** [n, c, h, w] as it is -> blocked. */
export function intoBlocks(value: Value, block: number): Blocked {
  const [n = 1, channels = 1, h = 1, w = 1] = value.shape
  const whole = wholeBlocks(channels, block)
  // Numbers of channels that the operation does not take are filled up before.
  const given =
    channels % 4 === 0
      ? value
      : padWith(
          value,
          [
            [0, 0],
            [0, whole - channels],
            [0, 0],
            [0, 0],
          ],
          0,
        )
  return { value: blockedNode('ReorderInput', [given], [n, whole, h, w], {}), channels, spare: 'zero' }
}

/** Blocked -> [n, channels, h, w] as it is. */
export function outOfBlocks({ value, channels }: Blocked): Value {
  const [n = 1, , h = 1, w = 1] = value.shape
  const numbers = convert(value, 'float32')
  const plain = blockedNode('ReorderOutput', [numbers], [n, channels, h, w], { channels: int(channels) })
  return convert(plain, value.type)
}

/** As it lies in memory, pixels of an image as one axis: [n, C / B, h * w, B]. */
export function asLanes(value: Value, block: number): Value {
  const [n = 1, whole = 1, h = 1, w = 1] = value.shape
  return reshape(value, [n, whole / block, h * w, block])
}

/** One number a channel [m, c] (m images, or 1 for all) as it combines with asLanes: [m, C / B, 1, B]. */
export function channelLanes(value: Value, block: number, filling: number): Value {
  const [m = 1, c = 1] = value.shape
  const whole = wholeBlocks(c, block)
  return reshape(
    padWith(
      value,
      [
        [0, 0],
        [0, whole - c],
      ],
      filling,
    ),
    [m, whole / block, 1, block],
  )
}

/** [m, C / B, 1, B] -> [m, c]: the channels that count. */
export function channelsOf(lanes: Value, channels: number): Value {
  const [m = 1, blocks = 1, , block = 1] = lanes.shape
  const flat = reshape(lanes, [m, blocks * block])
  if (blocks * block === channels) return flat
  return emit('Slice', [flat, int64s([0]), int64s([channels]), int64s([1])], [m, channels])
}
