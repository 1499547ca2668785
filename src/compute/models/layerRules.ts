import { z } from 'zod'

/**
 * What a layer makes of its input, known from its description alone: how many channels come out, which weights of which
 * shapes it has, and how it changes the size of the image. Layers that are not listed are refused: nothing is built
 * before it is known that it fits the weights that are there.
 */

/**
 * An image at some place of the network: its channels, how many pixels of the input one pixel spans each way, and how many
 * pixels of the input were cut off, half of them at each side: (input - cut) / reduction is its size.
 */
export interface Flow {
  readonly channels: number
  readonly reduction: readonly [rows: number, columns: number]
  readonly cut: readonly [rows: number, columns: number]
}

export interface LayerEffect extends Flow {
  /** Shapes by the weight's own name: kernel, bias, gamma … */
  readonly weights: Readonly<Record<string, readonly number[]>>
}

type Pair = readonly [number, number]
type Config = Readonly<Record<string, unknown>>

const shapeSchema = z.object({ shape: z.array(z.int().nullable()) })
const side = z.int().min(1).max(1024)
const pair = z.union([z.tuple([side, side]), side.transform((n): [number, number] => [n, n])])
const count = z.int().min(1).max(65_536)
const channelsLast = z.enum(['channels_last', 'channelsLast']).nullish()

const convolutionSchema = z.object({
  kernel_size: pair,
  strides: pair.default([1, 1]),
  dilation_rate: pair.default([1, 1]),
  padding: z.enum(['same', 'valid']).default('valid'),
  data_format: channelsLast,
  use_bias: z.boolean().default(true),
})
const filtersSchema = z.object({ filters: count })
const multiplierSchema = z.object({ depth_multiplier: count.default(1) })
const groupsSchema = z.object({ groups: count })
const poolSchema = z.object({
  pool_size: pair.default([2, 2]),
  strides: pair.nullish(),
  padding: z.enum(['same', 'valid']).default('valid'),
  data_format: channelsLast,
})
const sides = z.tuple([z.int().min(0).max(4096), z.int().min(0).max(4096)])
const croppingSchema = z.object({ cropping: z.tuple([sides, sides]), data_format: channelsLast })
const normalizationSchema = z.object({
  axis: z.union([z.int().transform((axis) => [axis]), z.array(z.int())]).default([-1]),
  epsilon: z.number().default(1e-3),
  center: z.boolean().default(true),
  scale: z.boolean().default(true),
})

type Rule = (inputs: readonly Flow[], config: Config) => LayerEffect

const same: Rule = (inputs) => ({ ...only(inputs), weights: {} })

export const LAYER_RULES: Readonly<Record<string, Rule>> = {
  Conv2D(inputs, config) {
    const input = only(inputs)
    const { kernel_size: kernel, use_bias, ...shape } = convolutionSchema.parse(config)
    const filters = filtersSchema.parse(config).filters
    const weights = { kernel: [...kernel, input.channels, filters], ...(use_bias ? { bias: [filters] } : {}) }
    return { channels: filters, ...windowed(input, kernel, shape), weights }
  },
  Conv2DTranspose(inputs, config) {
    const input = only(inputs)
    const { kernel_size: kernel, use_bias, strides, padding } = convolutionSchema.parse(config)
    const filters = filtersSchema.parse(config).filters
    if (padding === 'valid' && kernel.some((k, i) => k > (strides[i] ?? 0))) throw new Error('it enlarges the border')
    const weights = { kernel: [...kernel, filters, input.channels], ...(use_bias ? { bias: [filters] } : {}) }
    return { channels: filters, reduction: enlarged(input.reduction, strides), cut: input.cut, weights }
  },
  DepthwiseConv2D(inputs, config) {
    const input = only(inputs)
    const { kernel_size: kernel, use_bias, ...shape } = convolutionSchema.parse(config)
    if (shape.dilation_rate.some((rate) => rate !== 1)) throw new Error('it is dilated')
    const multiplier = multiplierSchema.parse(config).depth_multiplier
    const channels = input.channels * multiplier
    const weights = {
      depthwise_kernel: [...kernel, input.channels, multiplier],
      ...(use_bias ? { bias: [channels] } : {}),
    }
    return { channels, ...windowed(input, kernel, shape), weights }
  },
  MaxPooling2D: pooling,
  AveragePooling2D: pooling,
  UpSampling2D(inputs, config) {
    const input = only(inputs)
    const { size } = z.object({ size: pair.default([2, 2]), data_format: channelsLast }).parse(config)
    return { ...input, reduction: enlarged(input.reduction, size), weights: {} }
  },
  Cropping2D(inputs, config) {
    const input = only(inputs)
    const { cropping } = croppingSchema.parse(config)
    const [rows, columns] = cropping.map(([before, after]) => {
      if (before !== after) throw new Error('it cuts off more at one side than at the other')
      return 2 * before
    })
    return { ...input, cut: cutBy(input, [rows ?? 0, columns ?? 0]), weights: {} }
  },
  Concatenate(inputs, config) {
    const { axis } = z.object({ axis: z.int().default(-1) }).parse(config)
    if (axis !== -1 && axis !== 3) throw new Error('it joins along another axis than channels')
    return { ...alike(inputs), channels: inputs.reduce((sum, { channels }) => sum + channels, 0), weights: {} }
  },
  Add: merging,
  Average: merging,
  Maximum: merging,
  Multiply: merging,
  BatchNormalization(inputs, config) {
    const input = only(inputs)
    const moving = { moving_mean: [input.channels], moving_variance: [input.channels] }
    return { ...input, weights: { ...scaleAndShift(input, config), ...moving } }
  },
  LayerNormalization(inputs, config) {
    const input = only(inputs)
    const { axis, center, scale } = normalizationSchema.parse(config)
    const overImage = axis.length === 2 && axis.includes(1) && axis.includes(2)
    if (overImage && !center && !scale) return { ...input, weights: {} }
    return { ...input, weights: scaleAndShift(input, config) }
  },
  /** Ours (groupNormalization.ts). */
  GroupNormalization(inputs, config) {
    const input = only(inputs)
    if (input.channels % groupsSchema.parse(config).groups !== 0)
      throw new Error('its groups do not divide the channels')
    return { ...input, weights: scaleAndShift(input, config) }
  },
  Activation: same,
  ReLU: same,
  LeakyReLU: same,
  ELU: same,
  Softmax: same,
  Dropout: same,
  SpatialDropout2D: same,
  GaussianNoise: same,
  GaussianDropout: same,
}

/** The image that the network takes: any number of images of any size. */
export function inputOf(config: Config): Flow {
  const shape = shapeSchema.parse({ shape: config.batch_input_shape ?? config.batch_shape }).shape
  const [batch, rows, columns, channels] = shape
  if (shape.length !== 4) throw new Error(`it takes an input of ${shape.length - 1} dimensions instead of an image`)
  if (batch !== null || rows !== null || columns !== null) throw new Error('it takes images of one size alone')
  return { channels: z.object({ channels: count }).parse({ channels }).channels, reduction: [1, 1], cut: [0, 0] }
}

function pooling(inputs: readonly Flow[], config: Config): LayerEffect {
  const input = only(inputs)
  const { pool_size: size, strides, padding } = poolSchema.parse(config)
  return {
    ...input,
    ...windowed(input, size, { strides: strides ?? size, padding, dilation_rate: [1, 1] }),
    weights: {},
  }
}

function merging(inputs: readonly Flow[]): LayerEffect {
  const flow = alike(inputs)
  if (inputs.some(({ channels }) => channels !== flow.channels)) throw new Error('it merges different channels')
  return { ...flow, weights: {} }
}

function scaleAndShift({ channels }: Flow, config: Config): LayerEffect['weights'] {
  const { axis, center, scale } = normalizationSchema.parse(config)
  if (axis.length !== 1 || (axis[0] !== -1 && axis[0] !== 3)) throw new Error('it normalizes along another axis')
  return { ...(scale ? { gamma: [channels] } : {}), ...(center ? { beta: [channels] } : {}) }
}

function only(inputs: readonly Flow[]): Flow {
  const [input, ...more] = inputs
  if (input === undefined || more.length > 0) throw new Error('it must have one input')
  return { channels: input.channels, reduction: input.reduction, cut: input.cut }
}

function alike(inputs: readonly Flow[]): Flow {
  const [first, ...more] = inputs
  if (first === undefined || more.length === 0) throw new Error('it must have several inputs')
  if (more.some(({ reduction, cut }) => String([reduction, cut]) !== String([first.reduction, first.cut]))) {
    throw new Error('it joins images of different sizes')
  }
  return first
}

interface Window {
  readonly strides: Pair
  readonly padding: 'same' | 'valid'
  readonly dilation_rate: Pair
}

/** What a window that moves over the image leaves of its size. */
function windowed(
  input: Flow,
  kernel: Pair,
  { strides, padding, dilation_rate }: Window,
): Pick<Flow, 'reduction' | 'cut'> {
  const reduction: Pair = [input.reduction[0] * strides[0], input.reduction[1] * strides[1]]
  // Windows side by side leave nothing out.
  if (padding === 'same' || kernel.every((k, i) => k === strides[i])) return { reduction, cut: input.cut }
  if (strides.some((stride) => stride !== 1) || kernel.some((k) => k % 2 === 0)) {
    throw new Error('it cuts off the border, and not the same at each side')
  }
  const [rows, columns] = kernel.map((k, i) => (k - 1) * (dilation_rate[i] ?? 1))
  return { reduction, cut: cutBy(input, [rows ?? 0, columns ?? 0]) }
}

/** Cut by so many pixels of the image as it is there. */
function cutBy({ cut, reduction }: Flow, [rows, columns]: Pair): Pair {
  return [cut[0] + rows * reduction[0], cut[1] + columns * reduction[1]]
}

function enlarged(reduction: Pair, by: Pair): Pair {
  if (reduction[0] % by[0] !== 0 || reduction[1] % by[1] !== 0) throw new Error('it makes the image larger than it was')
  return [reduction[0] / by[0], reduction[1] / by[1]]
}
