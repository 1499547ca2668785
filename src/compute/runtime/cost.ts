import * as tf from '@tensorflow/tfjs-core'
import { forwardOf } from '../models/forward.ts'
import { roundUp } from '../data/padding.ts'
import { extentsOf } from '../inference/extents.ts'
import { NativeBackend } from '../native/backend.ts'
import { pooledBytes } from './deviceMemory.ts'
import { variableGradients } from './gradients.ts'
import { isVariable, readFloats } from './tensors.ts'
import { wasmHeap } from './wasmHeap.ts'
import type { layers, LayersModel } from '@tensorflow/tfjs-layers'

/** What a pass over a network needs, in bytes. */
export interface PassCost {
  /** Whatever the picture: gradients of the weights, say. */
  readonly fixed: number
  /** A pixel of all pictures of the pass: tensors that live at the same time. */
  readonly perPixel: number
  /** A pixel of one picture, however many there are: the tables that the backend keeps for its convolutions. */
  readonly perImagePixel: number
  /** A pixel of all pictures: of the largest single tensor. */
  readonly largest: number
  /** A pixel of all pictures: in this process, beside the tensors (the picture, and what is read back). */
  readonly beside: number
}

interface Peak {
  readonly bytes: number
  readonly largest: number
}

type Pass = (images: tf.Tensor4D) => tf.Tensor | tf.Tensor[]

/** Of a square picture: [1, size, size, channels of the network]. */
type Shape = [number, number, number, number]

/** ONNX Runtime's arena takes so much more of memory than values live at the same time: freed pieces lie between them. */
const RECORDED_SHARE = 1.3

const known = new WeakMap<LayersModel, Map<string, Promise<PassCost>>>()

/** Of one pass for prediction on the current backend. Measured once a network, on a small picture. */
export function predictionCost(network: LayersModel, step: number): Promise<PassCost> {
  return cached(network, 'predict', () => measure(network, step, 0, (images) => forwardOf(network)(images, false)))
}

/**
 * Of one training step: forward, gradients of all trainable weights, and the update. The same, with a plain loss; its
 * logits, their gradient and the classes are counted.
 */
export function trainingCost(network: LayersModel, step: number): Promise<PassCost> {
  const variables = network.trainableWeights.map((weight) => weight.read()).filter(isVariable)
  const gradients = variables.reduce((sum, { size }) => sum + 4 * size, 0)
  const pass: Pass = (images) => {
    const loss = () => tf.mean<tf.Scalar>(tf.square(forwardOf(network)(images, true)))
    const { value, grads } = variableGradients(loss, variables)
    return [value, ...Object.values(grads)]
  }
  return cached(network, 'train', () => keepingStatistics(network, () => measure(network, step, gradients, pass)))
}

/** A training pass through batch normalization changes what it knows of its inputs. */
async function keepingStatistics<T>(network: LayersModel, run: () => Promise<T>): Promise<T> {
  const variables = network.nonTrainableWeights.map((weight) => weight.read()).filter(isVariable)
  const kept = variables.map((variable) => tf.clone(variable))
  try {
    return await run()
  } finally {
    variables.forEach((variable, i) => {
      const values = kept[i]
      if (values !== undefined) variable.assign(values)
    })
    tf.dispose(kept)
  }
}

function cached(network: LayersModel, kind: string, run: () => Promise<PassCost>): Promise<PassCost> {
  const key = `${tf.getBackend()} ${kind}`
  const costs = known.get(network) ?? new Map<string, Promise<PassCost>>()
  known.set(network, costs)
  const found = costs.get(key)
  if (found !== undefined) return found
  const cost = run()
  costs.set(key, cost)
  // A failed measurement is worth another try.
  cost.catch(() => costs.delete(key))
  return cost
}

/**
 * `fixed` is known beforehand. The picture is large enough that what deep layers need of their own (packed filters) does not
 * count; a small one runs first, since what a backend makes once must not be taken for what each pass needs.
 */
async function measure(network: LayersModel, step: number, fixed: number, pass: Pass): Promise<PassCost> {
  const shape = shapeFor(network, step, 128)
  const size = shape[1]
  const backend = tf.backend()
  if (backend instanceof NativeBackend) return recordedCost(backend, network, shape, fixed, pass)
  await peakOf(shapeFor(network, step, 32), pass)
  const { bytes, largest } = await peakOf(shape, pass)
  return {
    fixed,
    perPixel: Math.max(4, (bytes - fixed) / size ** 2),
    perImagePixel: wasmHeap() === null ? 0 : indirections(network),
    largest: largest / size ** 2,
    beside: besideOf(network),
  }
}

/** The smallest picture that the network takes and whose result has at least so many rows and columns. */
function shapeFor(network: LayersModel, step: number, atLeast: number): Shape {
  const { margin, least } = extentsOf(network, step)
  const size = 2 * margin + least + roundUp(Math.max(0, atLeast - least), step)
  return [1, size, size, network.inputs[0]?.shape[3] ?? 1]
}

/**
 * By the graph, without computing it. Beside the gradients the graph of a step gives new weights and what the optimizer
 * remembers of each, and constants (the weights, in a prediction) lie in the session twice, once as they are multiplied.
 */
function recordedCost(backend: NativeBackend, network: LayersModel, shape: Shape, fixed: number, pass: Pass): PassCost {
  const size = shape[1]
  const outputs = tf.tidy(() => [pass(tf.zeros(shape))].flat())
  try {
    const { peak, largest, constants } = backend.footprint(outputs)
    return {
      fixed: 4 * fixed + 2 * (constants + 4 * network.countParams()),
      perPixel: Math.max(4, (RECORDED_SHARE * (peak - fixed)) / size ** 2),
      perImagePixel: 0,
      largest: largest / size ** 2,
      beside: besideOf(network),
    }
  } finally {
    tf.dispose(outputs)
  }
}

async function peakOf(shape: Shape, pass: Pass): Promise<Peak> {
  const meter = startMeter()
  let outputs: tf.Tensor | tf.Tensor[] = []
  try {
    outputs = tf.tidy(() => pass(tf.zeros(shape)))
    // A graphics backend only now makes what it was told.
    const first = Array.isArray(outputs) ? outputs[0] : outputs
    if (first !== undefined) await readFloats(first)
  } finally {
    tf.dispose(outputs)
    meter.stop()
  }
  return meter.peak()
}

/** The picture, and what is read back. */
function besideOf(network: LayersModel): number {
  return 4 * (network.inputs[0]?.shape[3] ?? 1) + 4 * (network.outputs[0]?.shape[3] ?? 1)
}

interface Meter {
  stop(): void
  peak(): Peak
}

/**
 * Follows the bytes of all tensors as TensorFlow.js counts them; on `wasm` also what kernels allocate for themselves, and
 * on `webgpu`, which frees nothing before the queue is handed over, what the pool of buffers grew by.
 */
function startMeter(): Meter {
  const engine = tf.engine()
  const heap = wasmHeap()
  const before = { engine: engine.state.numBytes, heap: heap?.live() ?? 0, pool: pooledBytes() }
  heap?.takePeak()
  let peak = before.engine
  let largest = 0
  const track = engine.trackTensor.bind(engine)
  engine.trackTensor = (tensor, backend) => {
    track(tensor, backend)
    peak = Math.max(peak, engine.state.numBytes)
    largest = Math.max(largest, 4 * tensor.size)
  }
  return {
    stop() {
      // The method of the class is in force again.
      Reflect.deleteProperty(engine, 'trackTensor')
    },
    peak: () => ({
      bytes: Math.max(
        peak - before.engine,
        heap === null ? 0 : heap.takePeak() - before.heap,
        pooledBytes() - before.pool,
      ),
      largest,
    }),
  }
}

/**
 * XNNPACK keeps, for each convolution larger than 1 x 1 that is still its own (kernels/conv2d.ts does most), a table of
 * the addresses that each output pixel reads: 4 bytes times the size of the kernel, for one picture. It lies outside of
 * what can be measured from here.
 */
function indirections(network: LayersModel): number {
  const scales = new Map<layers.Layer, number>()
  let bytes = 0
  for (const layer of network.layers) {
    const from = layer.inboundNodes[0]?.inboundLayers.map((before) => scales.get(before) ?? 1) ?? []
    const config = layer.getConfig()
    const [strideY, strideX] = pair(config.strides)
    const [growY, growX] = layer.getClassName() === 'UpSampling2D' ? pair(config.size) : [1, 1]
    const transposed = layer.getClassName() === 'Conv2DTranspose'
    const shrink = transposed ? 1 / (strideY * strideX) : strideY * strideX
    const scale = (Math.max(1e-6, ...from) * growY * growX) / shrink
    scales.set(layer, from.length === 0 ? 1 : scale)
    const [height, width] = pair(config.kernelSize)
    const ours = layer.getClassName() === 'Conv2D' && (config.activation === 'linear' || config.activation === 'relu')
    if (!ours && layer.getClassName().includes('Conv2D') && height * width > 1) bytes += 4 * height * width * scale
  }
  return bytes
}

function pair(value: unknown): [number, number] {
  const pick = (each: unknown): number => (typeof each === 'number' ? each : 1)
  const list: unknown[] = Array.isArray(value) ? value : [value, value]
  return [pick(list[0]), pick(list[1])]
}
