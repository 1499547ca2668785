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
  /** [n / fold, C, h, w] */
  readonly value: Value
  /** Of an image. With `fold` times as many lanes used, those behind are spare. */
  readonly channels: number
  /** So many images follow one another share blocks, as if they were channels of one: few channels leave no lanes idle then. */
  readonly fold: number
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
export function intoBlocks(image: Value, block: number, fold: number): Blocked {
  const value = foldedPlain(image, fold)
  const [n = 1, lanes = 1, h = 1, w = 1] = value.shape
  const channels = lanes / fold
  const whole = wholeBlocks(lanes, block)
  // Numbers of channels that the operation does not take are filled up before.
  const given =
    lanes % 4 === 0
      ? value
      : padWith(
          value,
          [
            [0, 0],
            [0, whole - lanes],
            [0, 0],
            [0, 0],
          ],
          0,
        )
  return { value: blockedNode('ReorderInput', [given], [n, whole, h, w], {}), channels, fold, spare: 'zero' }
}

/** [n, c, h, w] as it is -> [n / fold, fold * c, h, w]: nothing moves. */
export function foldedPlain(value: Value, fold: number): Value {
  const [n = 1, c = 1, h = 1, w = 1] = value.shape
  return fold === 1 ? value : regrouped(value, [n / fold, fold * c, h, w])
}

/** Images of the same size in another number, with other channels; the graph stays the same for other numbers and sizes. */
function regrouped(value: Value, shape: readonly [number, number, number, number]): Value {
  return emit('Reshape', [value, int64s([-1, shape[1], 0, 0])], shape)
}

/** Blocked -> [n, channels, h, w] as it is. */
export function outOfBlocks({ value, channels, fold }: Blocked): Value {
  const [n = 1, , h = 1, w = 1] = value.shape
  const numbers = convert(value, 'float32')
  const lanes = fold * channels
  const plain = blockedNode('ReorderOutput', [numbers], [n, lanes, h, w], { channels: int(lanes) })
  const unfolded = fold === 1 ? plain : regrouped(plain, [n * fold, channels, h, w])
  return convert(unfolded, value.type)
}

/** The same with another fold, where nothing has to move for that: images of whole blocks. null for others. */
export function refolded(blocked: Blocked, fold: number, block: number): Blocked | null {
  if (blocked.fold === fold) return blocked
  const { value, channels, fold: before } = blocked
  const [n = 1, , h = 1, w = 1] = value.shape
  if (channels % block !== 0 || (n * before) % fold !== 0) return null
  return { ...blocked, fold, value: regrouped(value, [(n * before) / fold, fold * channels, h, w]) }
}

/** Into how many images a block is shared where images have so few channels. */
export function foldFor(n: number, channels: number, block: number): number {
  const fold = block / channels
  return Number.isInteger(fold) && n % fold === 0 ? fold : 1
}

/** As it lies in memory, pixels of an image as one axis: [n, C / B, h * w, B]. */
export function asLanes(value: Value, block: number): Value {
  const [n = 1, whole = 1, h = 1, w = 1] = value.shape
  return reshape(value, [n, whole / block, h * w, block])
}

/** One number a channel [m, c] (m images, or 1 for all) as it combines with asLanes: [m / fold, C / B, 1, B]. */
export function channelLanes(value: Value, block: number, filling: number, fold: number): Value {
  const [m = 1, c = 1] = value.shape
  const lanes = fold * c
  const all = m === 1 ? timesOver(value, 1, fold) : reshape(value, [m / fold, lanes])
  const rows = m === 1 ? 1 : m / fold
  const whole = wholeBlocks(lanes, block)
  return reshape(
    padWith(
      all,
      [
        [0, 0],
        [0, whole - lanes],
      ],
      filling,
    ),
    [rows, whole / block, 1, block],
  )
}

/** The value so many times in a row along an axis. */
export function timesOver(value: Value, axis: number, times: number): Value {
  if (times === 1) return value
  const shape = value.shape.with(axis, (value.shape[axis] ?? 1) * times)
  return emit('Concat', Array<Value>(times).fill(value), shape, { attributes: { axis: int(axis) } })
}

/** [m, C / B, 1, B] -> [m * fold, c]: the channels that count. */
export function channelsOf(lanes: Value, channels: number, fold: number): Value {
  const [m = 1, blocks = 1, , block = 1] = lanes.shape
  const used = fold * channels
  const flat = reshape(lanes, [m, blocks * block])
  const cut =
    blocks * block === used ? flat : emit('Slice', [flat, int64s([0]), int64s([used]), int64s([1])], [m, used])
  return reshape(cut, [m * fold, channels])
}
