import { predictionCost } from '../runtime/cost.ts'
import { extentsOf } from './extents.ts'
import { forwardPass } from './forwardPass.ts'
import { reachOf } from './receptiveField.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { BetweenLayers } from '../models/forward.ts'
import type { PassCost } from '../runtime/cost.ts'
import type { Extents } from './extents.ts'
import type { ForwardPass, Logits } from './forwardPass.ts'
import type { Reach } from './receptiveField.ts'

/** A network as far as running it over images goes. */
export interface Runnable {
  /** What is remembered of the network hangs on this. */
  readonly key: object
  /** Of its input. */
  readonly channels: number
  /** The only size it takes; null: any multiple of its step. */
  readonly size: { readonly width: number; readonly height: number } | null
  /** It takes one picture at a time. */
  readonly single: boolean
  /** It runs beside the backend of TensorFlow.js, on the processor. */
  readonly elsewhere: boolean
  /** More of one picture take too long in one pass. */
  readonly mostPixels: number
  readonly reach: Reach
  /** How much smaller than its input the result is, and which sizes there are. */
  extents(step: number): Extents
  cost(step: number): Promise<PassCost>
  /** One batch: `input` is count x channels x height x width, `shape` [count, height, width, channels]. */
  pass(input: Float32Array, shape: [number, number, number, number], between: BetweenLayers): Promise<Logits>
}

/** A network of TensorFlow.js. */
export function runnableOf(network: LayersModel, pass: ForwardPass = forwardPass): Runnable {
  return {
    key: network,
    channels: network.inputs[0]?.shape[3] ?? 1,
    size: null,
    single: false,
    elsewhere: false,
    mostPixels: Infinity,
    get reach() {
      return reachOf(network)
    },
    extents: (step) => extentsOf(network, step),
    cost: (step) => predictionCost(network, step),
    pass: (input, shape, between) => pass(network, channelsLast(input, shape), shape, between),
  }
}

/** From count x channels x height x width. */
function channelsLast(
  input: Float32Array,
  [count, height, width, channels]: readonly [number, number, number, number],
): Float32Array {
  if (channels === 1) return input
  const pixels = height * width
  const moved = new Float32Array(input.length)
  for (let n = 0; n < count; n++) {
    for (let c = 0; c < channels; c++) {
      const plane = (n * channels + c) * pixels
      for (let i = 0, to = n * pixels * channels + c; i < pixels; i++, to += channels) moved[to] = input[plane + i] ?? 0
    }
  }
  return moved
}
