import * as tf from '@tensorflow/tfjs-core'
import { createRandom } from '../data/random.ts'
import type { layers, LayersModel } from '@tensorflow/tfjs-layers'

/** By the name of a dropout layer, what its input is multiplied with: 0 where it is dropped, 1 / (1 - rate) elsewhere. */
export type DropoutMasks = ReadonlyMap<string, tf.Tensor>

interface DropoutLayer {
  readonly name: string
  readonly rate: number
  /** Of its input. */
  readonly shape: readonly number[]
}

/** The dropout layers of a network for images of this shape, [n, h, w, c], in the network's order. */
export function dropoutLayers(network: LayersModel, images: readonly number[]): DropoutLayer[] {
  if (!network.layers.some(isDropout)) return []
  const shapes = new Map<layers.Layer, number[]>()
  const found: DropoutLayer[] = []
  for (const layer of network.layers) {
    const inputs = layer.inboundNodes.flatMap(({ inboundLayers }) => inboundLayers)
    const before = inputs.map((input) => shapes.get(input) ?? [...images])
    const [first = [...images]] = before
    const shape = layer.computeOutputShape(before.length > 1 ? before : first)
    shapes.set(layer, inputs.length === 0 ? [...images] : numbers(shape))
    const rate = Number(layer.getConfig().rate)
    if (isDropout(layer)) found.push({ name: layer.name, rate, shape: first })
  }
  return found
}

export function isDropout(layer: layers.Layer): boolean {
  return layer.getClassName() === 'Dropout'
}

/**
 * What is kept of each layer's input in one step. Hangs on seed, step and layer alone: the same on every backend, and after
 * a training was interrupted. Drawn here and not by the backend, since those that record draw once for all steps.
 */
export function dropoutMask({ rate, shape }: DropoutLayer, seed: number, step: number, index: number): tf.Tensor {
  const random = createRandom(mixed(seed, step, index))
  const kept = 1 / (1 - rate)
  const size = shape.reduce((product, extent) => product * extent, 1)
  const values = new Float32Array(size)
  for (let i = 0; i < size; i++) values[i] = random() < rate ? 0 : kept
  return tf.tensor(values, [...shape])
}

/** 32 bits that differ in about half of their places where any of the three differs (the finalizer of MurmurHash3). */
function mixed(...values: readonly number[]): number {
  return values.reduce((hash, value) => {
    let h = (Math.imul(hash, 31) + value + 0x9e3779b9) >>> 0
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
    return (h ^ (h >>> 16)) >>> 0
  }, 0)
}

function numbers(shape: ReturnType<layers.Layer['computeOutputShape']>): number[] {
  return shape.flatMap((extent) => (typeof extent === 'number' ? [extent] : []))
}
