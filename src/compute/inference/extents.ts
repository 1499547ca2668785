import type { layers, LayersModel } from '@tensorflow/tfjs-layers'

/**
 * What a network makes of the size of a picture. With valid convolutions each cuts off a border, so that the result is
 * smaller than the picture by `margin` pixels at each side, and only some sizes can be halved evenly all the way down.
 */
export interface Extents {
  /** Pixels that are cut off at each side; 0 with same-size convolutions. */
  readonly margin: number
  /** The smallest width or height of a result; all others are larger by multiples of `step`. */
  readonly least: number
  readonly step: number
}

/** Looked for from here on, in steps: no network here makes less of a picture of that size. */
const STEPS = 96

const known = new WeakMap<LayersModel, Map<number, Extents>>()

/** `step`: what sizes are multiples of, but for the same remainder. Of same-size networks the remainder is 0. */
export function extentsOf(network: LayersModel, step: number): Extents {
  const found = known.get(network) ?? new Map<number, Extents>()
  known.set(network, found)
  const extents = found.get(step) ?? compute(network, step)
  found.set(step, extents)
  return extents
}

/** The width and height that the network gives for a picture of so many pixels; null where it takes none of that size. */
export function resultExtent(network: LayersModel, extent: number): number | null {
  const extents = new Map<layers.Layer, number>()
  let last: number | null = extent
  for (const layer of network.layers) {
    const inputs: number[] = layer.inboundNodes
      .flatMap(({ inboundLayers }) => inboundLayers)
      .map((input) => extents.get(input) ?? extent)
    const [first = extent] = inputs
    if (inputs.some((other) => other !== first)) return null
    last = after(layer, first)
    if (last === null || last < 1) return null
    extents.set(layer, last)
  }
  return last
}

function compute(network: LayersModel, step: number): Extents {
  for (let rest = 0; rest < step; rest++) {
    const large = STEPS * step + rest
    const result = resultExtent(network, large)
    if (result === null || result > large || (large - result) % 2 !== 0) continue
    const margin = (large - result) / 2
    if (margin === 0 && rest === 0) break
    for (let least = result % step; least <= result; least += step) {
      if (least > 0 && resultExtent(network, least + 2 * margin) === least) return { margin, least, step }
    }
  }
  return { margin: 0, least: step, step }
}

function after(layer: layers.Layer, extent: number): number | null {
  const config = layer.getConfig()
  const kind = layer.getClassName()
  const [stride, dilation] = [first(config.strides, 1), first(config.dilationRate, 1)]
  switch (kind) {
    case 'Conv2D':
    case 'DepthwiseConv2D':
    case 'SeparableConv2D':
    case 'MaxPooling2D':
    case 'AveragePooling2D': {
      const window = first(config.kernelSize ?? config.poolSize, 1)
      if (extent % stride !== 0) return null
      return config.padding === 'same'
        ? extent / stride
        : Math.floor((extent - ((window - 1) * dilation + 1)) / stride) + 1
    }
    case 'UpSampling2D':
      return extent * first(config.size, 1)
    case 'Conv2DTranspose': {
      const window = first(config.kernelSize, 1)
      return config.padding === 'same' ? extent * stride : extent * stride + Math.max(0, window - stride)
    }
    case 'Cropping2D':
      return extent - both(config.cropping)
    case 'ZeroPadding2D':
      return extent + both(config.padding)
    default:
      return extent
  }
}

function first(value: unknown, otherwise: number): number {
  const one: unknown = Array.isArray(value) ? value[0] : value
  return typeof one === 'number' ? one : otherwise
}

/** Of [[top, bottom], [left, right]], [rows, columns] or one number: what is taken off, or added, at both ends together. */
function both(value: unknown): number {
  const rows: unknown = Array.isArray(value) ? value[0] : value
  if (typeof rows === 'number') return 2 * rows
  return Array.isArray(rows) ? rows.reduce<number>((sum, each) => sum + (typeof each === 'number' ? each : 0), 0) : 0
}
