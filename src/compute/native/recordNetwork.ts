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

/**
 * Records a network's prediction, its weights as constants: images [n, 1, h, w] to logits [n, classes, h, w], without
 * computing anything. Whether n, h and w may differ is found by recording twice: a graph that is the same for two sizes
 * holds neither. `fixed` is the height and width of a network whose graph is another for each size. The recorder must be
 * the current backend, and the network's weights must be computed.
 */
export async function recordNetwork(network: LayersModel, step: number, fixed: number): Promise<RecordedNetwork> {
  const backend = tf.backend()
  if (!(backend instanceof NativeBackend)) throw new Error('Networks are recorded on the native backend.')
  const attempts = [
    { extents: [COUNT, HEIGHT, WIDTH], sizes: [[2, 3 * step, 5 * step] as const, [3, 7 * step, 4 * step] as const] },
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
    inputShape: () => [n, 1, h, w],
    outputShape: (_, { shape }) => [n, shape[1] ?? 1, h, w],
    metadata,
  })
}

async function record(
  backend: NativeBackend,
  network: LayersModel,
  [n, h, w]: readonly [number, number, number],
): Promise<Graph> {
  const image: Value = { shape: [n, 1, h, w], type: 'float32', source: { kind: 'input', held: null } }
  const info = backend.make(image, [n, h, w, 1], 'float32', 'channelsFirst')
  const images = tf.engine().makeTensorFromTensorInfo(info, backend)
  const logits = tf.tidy(() => forwardOf(network)(tf.reshape<tf.Rank.R4>(images, [n, h, w, 1]), false))
  const graph = collectGraph([valueIn(backend.recorded(logits), 'channelsFirst')], [image])
  tf.dispose([images, logits])
  const weights = graph.inputs.filter((value) => value !== image)
  const frozen = new Map<Value, Elements>()
  for (const value of weights) frozen.set(value, await backend.engine.elements(heldOf(value)))
  return optimize(lowerPortably(optimize(graph, { foldable: Infinity, frozen })), { foldable: Infinity })
}
