import * as tf from '@tensorflow/tfjs-core'
import { forwardOf } from '../models/forward.ts'
import { NativeBackend } from './backend.ts'
import { collectGraph } from './graph/collect.ts'
import { optimize } from './graph/passes/optimize.ts'
import { heldOf } from './graph/settle.ts'
import { lowerPortably } from './lowering/portable.ts'
import { encodeGraph } from './onnx/encode.ts'
import { valueIn } from './tensors.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { Elements, Graph, Value } from './graph/types.ts'
import type { Naming } from './onnx/encode.ts'

/** Number, height and width of images; a name where any will do. */
type Extents = readonly [count: number | string, height: number | string, width: number | string]

export interface RecordedNetwork {
  readonly graph: Graph
  /** What may differ from what it was recorded for; the rest is part of the graph. */
  readonly extents: Extents
}

export const IMAGE = 'image'
export const LOGITS = 'logits'
const [COUNT, HEIGHT, WIDTH] = ['batch', 'height', 'width']

/** Widths and heights that a network takes. */
export interface TakenSizes {
  /** The smallest that is at least so large. */
  readonly atLeast: (size: number) => number
  readonly step: number
  /** For a network whose graph is another for each size. */
  readonly fixed: number
}

/**
 * Records a network's prediction, its weights as constants: images [n, c, h, w] to logits [n, classes, h, w] (smaller with
 * valid convolutions), without computing anything. Whether n, h and w may differ is found by recording twice: a graph that is the same for two sizes
 * holds neither. `fixed` is the height and width of a network whose graph is another for each size. The recorder must be
 * the current backend, and the network's weights must be computed.
 */
export async function recordNetwork(
  network: LayersModel,
  { atLeast, step, fixed }: TakenSizes,
): Promise<RecordedNetwork> {
  const backend = tf.backend()
  if (!(backend instanceof NativeBackend)) throw new Error('Networks are recorded on the native backend.')
  const attempts = [
    {
      extents: [COUNT, HEIGHT, WIDTH],
      sizes: [[2, atLeast(3 * step), atLeast(5 * step)] as const, [3, atLeast(7 * step), atLeast(4 * step)] as const],
    },
    { extents: [COUNT, fixed, fixed], sizes: [[2, fixed, fixed] as const, [3, fixed, fixed] as const] },
  ] as const
  for (const { extents, sizes } of attempts) {
    const graphs = await Promise.all(sizes.map((size) => record(backend, network, size)))
    const [first, second] = graphs.map((graph) => ({ graph, bytes: encodeRecorded({ graph, extents }) }))
    if (first === undefined || second === undefined) break
    if (Buffer.compare(first.bytes, second.bytes) === 0) return { graph: first.graph, extents }
  }
  return { graph: await record(backend, network, [1, fixed, fixed]), extents: [1, fixed, fixed] }
}

/** As a standard ONNX file, with what it says of itself. */
export function encodeRecorded(
  { graph, extents: [n, h, w] }: RecordedNetwork,
  metadata: NonNullable<Naming['metadata']> = {},
): Uint8Array {
  return encodeGraph(graph, {
    input: () => IMAGE,
    output: () => LOGITS,
    inputShape: (_, { shape }) => [n, shape[1] ?? 1, h, w],
    outputShape: (_, { shape: [, classes = 1, rows = 1, columns = 1] }) => {
      // With valid convolutions the result is smaller than the image.
      const [height, width] = graph.inputs[0]?.shape.slice(2) ?? []
      const named = (extent: number | string, size: number, whole: boolean) =>
        typeof extent === 'number' ? size : whole ? extent : `result_${extent}`
      return [n, classes, named(h, rows, rows === height), named(w, columns, columns === width)]
    },
    metadata,
  })
}

async function record(
  backend: NativeBackend,
  network: LayersModel,
  [n, h, w]: readonly [number, number, number],
): Promise<Graph> {
  const channels = network.inputs[0]?.shape[3] ?? 1
  const image: Value = { shape: [n, channels, h, w], type: 'float32', source: { kind: 'input', held: null } }
  const info = backend.make(image, [n, h, w, channels], 'float32', 'channelsFirst')
  const images = tf.engine().makeTensorFromTensorInfo(info, backend)
  const logits = tf.tidy(() => forwardOf(network)(tf.reshape<tf.Rank.R4>(images, [n, h, w, channels]), false))
  const graph = collectGraph([valueIn(backend.recorded(logits), 'channelsFirst')], [image])
  tf.dispose([images, logits])
  const weights = graph.inputs.filter((value) => value !== image)
  const frozen = new Map<Value, Elements>()
  for (const value of weights) frozen.set(value, await backend.engine.elements(heldOf(value)))
  return optimize(lowerPortably(optimize(graph, { foldable: Infinity, frozen })), { foldable: Infinity })
}
