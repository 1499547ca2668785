import type { layers, LayersModel } from '@tensorflow/tfjs-layers'

/** How far a network looks. */
export interface Reach {
  /**
   * The label of a pixel depends on pixels at most so far away, in either direction. Infinity: on the whole picture,
   * since a layer normalizes over it, or is of a kind that is not known here.
   */
  readonly pixels: number
  /** The same without the layers that look at the whole picture: what a tile's margin can answer for. */
  readonly local: number
}

interface Place {
  /** Pixels of the image between neighbouring pixels here. */
  readonly jump: number
  /** Pixels of the image that a pixel here depends on, to each side. */
  readonly radius: number
}

const POINTWISE = new Set([
  ...['InputLayer', 'Activation', 'ReLU', 'LeakyReLU', 'PReLU', 'ELU', 'ThresholdedReLU', 'Softmax', 'Dropout'],
  ...['SpatialDropout2D', 'BatchNormalization', 'Concatenate', 'Add', 'Average', 'Maximum', 'Minimum', 'Multiply'],
  ...['GaussianNoise', 'GaussianDropout', 'Cropping2D'],
])
const WINDOWS = new Set(['Conv2D', 'DepthwiseConv2D', 'SeparableConv2D', 'MaxPooling2D', 'AveragePooling2D'])

interface Found {
  readonly reach: Reach
  readonly deepest: layers.Layer | null
}

const known = new WeakMap<LayersModel, Found>()

/** From the sizes of kernels, strides and dilations, layer by layer; for networks whose layers are each used once. */
export function reachOf(network: LayersModel): Reach {
  return found(network).reach
}

/**
 * The last of the layers whose pixels stand for most of the image: what it gives describes what the image shows. Null of a
 * network without layers.
 */
export function deepestLayer(network: LayersModel): layers.Layer | null {
  return found(network).deepest
}

function found(network: LayersModel): Found {
  const result = known.get(network) ?? compute(network)
  known.set(network, result)
  return result
}

function compute(network: LayersModel): Found {
  const places = new Map<layers.Layer, Place>()
  let whole = false
  let last: Place = { jump: 1, radius: 0 }
  let deepest: layers.Layer | null = null
  let most = 0
  for (const layer of network.layers) {
    const inputs = layer.inboundNodes.flatMap(({ inboundLayers }) => inboundLayers)
    const before = inputs.map((input) => places.get(input) ?? { jump: 1, radius: 0 })
    const place = {
      jump: Math.max(...before.map(({ jump }) => jump), inputs.length === 0 ? 1 : 0),
      radius: Math.max(0, ...before.map(({ radius }) => radius)),
    }
    const next = after(layer, place)
    if (next === null) whole = true
    last = next ?? place
    places.set(layer, last)
    if (inputs.length === 0 || last.jump < most) continue
    deepest = layer
    most = last.jump
  }
  return { reach: { pixels: whole ? Infinity : last.radius, local: Math.ceil(last.radius) }, deepest }
}

/** Where the layer's output lies; null where it looks at everything, or nobody knows. */
function after(layer: layers.Layer, { jump, radius }: Place): Place | null {
  const kind = layer.getClassName()
  if (POINTWISE.has(kind)) return { jump, radius }
  const config = layer.getConfig()
  if (WINDOWS.has(kind)) {
    const window = largest(config.kernelSize ?? config.poolSize)
    const reach = (window - 1) * largest(config.dilationRate)
    const stride = largest(config.strides)
    // A window of odd size lies around its pixel; one of even size, or with a stride, to one side of it.
    const side = window % 2 === 1 && stride === 1 ? reach / 2 : reach
    return { jump: jump * stride, radius: radius + side * jump }
  }
  if (kind === 'UpSampling2D') {
    const beside = config.interpolation === 'bilinear' ? 1 : 0
    return { jump: jump / largest(config.size), radius: radius + beside * jump }
  }
  if (kind === 'Conv2DTranspose') {
    const stride = largest(config.strides)
    const reach = Math.ceil(largest(config.kernelSize) / stride) - 1
    return { jump: jump / stride, radius: radius + reach * jump }
  }
  return null
}

/** Of a size that may differ in height and width. */
function largest(value: unknown): number {
  const sizes = (Array.isArray(value) ? value : [value]).filter((each) => typeof each === 'number')
  return Math.max(1, ...sizes)
}
