import * as tf from '@tensorflow/tfjs-core'
import { applied, isRelu, normalizationFor, only, operationFor } from './layerOperations.ts'
import type { layers, LayersModel } from '@tensorflow/tfjs-layers'
import type { DropoutMasks } from './dropout.ts'
import type { Run } from './layerOperations.ts'

type Layer = layers.Layer

/**
 * images [n, h, w, c] -> logits [n, h, w, classes]; call it inside tf.tidy. `masks`: what is dropped in training. `seen` is
 * shown what each layer gives, of networks whose layers are run one by one; it disposes nothing.
 */
export type Forward = (images: tf.Tensor, training: boolean, masks?: DropoutMasks, seen?: SeenLayer) => tf.Tensor

/** A normalization that is done together with the ReLU behind it is shown as what came before it. */
export type SeenLayer = (layer: Layer, output: tf.Tensor) => void

interface Node {
  readonly layer: Layer
  /** The nodes that it reads, by their place in the plan. */
  readonly inputs: readonly number[]
  readonly run: Run
  /** The last node that reads this one's output. */
  readonly lastReader: number
}

/** What stands between two layers; `done` is the share of the layers that ran. */
export type BetweenLayers = (done: number) => Promise<void>

interface Plan {
  readonly forward: Forward
  readonly inTurns: (images: tf.Tensor, between: BetweenLayers, seen?: SeenLayer) => Promise<tf.Tensor>
}

const plans = new WeakMap<LayersModel, Plan>()

/**
 * Runs a network by our own operations where there is one for a layer or a pair of layers, and by the layer itself
 * where not: the same numbers as `network.apply`, with fewer passes over memory. Intermediate results are disposed as
 * soon as nothing reads them any more, unless gradients need them (`training`).
 */
export function forwardOf(network: LayersModel): Forward {
  return planOf(network).forward
}

/**
 * The same for prediction alone, and outside tf.tidy: waits for `between` after each layer, so that a large picture does
 * not keep the process from its messages. What `between` throws ends it; no tensor is left behind then.
 */
export function forwardInTurns(
  network: LayersModel,
  images: tf.Tensor,
  between: BetweenLayers,
  seen?: SeenLayer,
): Promise<tf.Tensor> {
  return planOf(network).inTurns(images, between, seen)
}

function planOf(network: LayersModel): Plan {
  const known = plans.get(network)
  if (known !== undefined) return known
  const plan = compile(network)
  plans.set(network, plan)
  return plan
}

function compile(network: LayersModel): Plan {
  if (!isPlainGraph(network)) {
    const forward: Forward = (images, training) => applied(network, [images], training)
    return { forward, inTurns: async (images) => tf.tidy(() => forward(images, false)) }
  }
  const places = new Map(network.layers.map((layer, index) => [layer, index]))
  const inputsOf = network.layers.map((layer) => (layer.inboundNodes[0]?.inboundLayers ?? []).map(place))
  function place(layer: Layer): number {
    const index = places.get(layer)
    if (index === undefined) throw new Error(`The layer ${layer.name} is not part of the network.`)
    return index
  }
  const readersOf = network.layers.map((_, index) =>
    inputsOf.flatMap((inputs, at) => (inputs.includes(index) ? [at] : [])),
  )
  const last = network.layers.length - 1
  const nodes = network.layers.map((layer, index): Node => {
    const inputs = inputsOf[index] ?? []
    const readers = readersOf[index] ?? []
    const before = network.layers[inputs[0] ?? -1]
    const after = network.layers[readers[0] ?? -1]
    const afterImage = before?.getClassName() === 'InputLayer'
    const lastReader = readers.length === 0 ? last : Math.max(...readers)
    // A normalization whose only reader is a ReLU is done there, together with it.
    if (readers.length === 1 && isRelu(after) && normalizationFor(layer, true) !== null) {
      return { layer, inputs, lastReader, run: only }
    }
    const joint = isRelu(layer) && before !== undefined && readersOf[inputs[0] ?? -1]?.length === 1
    const fused = joint ? normalizationFor(before, true) : null
    return { layer, inputs, lastReader, run: fused ?? operationFor(layer, afterImage) }
  })
  const forward: Forward = (images, training, masks, seen) => {
    const outputs: (tf.Tensor | undefined)[] = []
    nodes.forEach(({ layer, inputs, run }, index) => {
      const values = inputs.map((at) => outputs[at]).filter((value) => value !== undefined)
      const output = values.length === 0 ? images : run(values, training, masks)
      outputs[index] = output
      seen?.(layer, output)
      if (!training) disposeRead(nodes, outputs, index)
    })
    const result = outputs[last]
    if (result === undefined) throw new Error('The network has no layers.')
    return result
  }
  return { forward, inTurns: (images, between, seen) => runInTurns(nodes, images, between, seen) }
}

async function runInTurns(
  nodes: readonly Node[],
  images: tf.Tensor,
  between: BetweenLayers,
  seen?: SeenLayer,
): Promise<tf.Tensor> {
  const outputs: (tf.Tensor | undefined)[] = []
  try {
    for (const [index, { layer, inputs, run }] of nodes.entries()) {
      const values = inputs.map((at) => outputs[at]).filter((value) => value !== undefined)
      const output = values.length === 0 ? images : tf.tidy(() => run(values, false))
      outputs[index] = output
      seen?.(layer, output)
      disposeRead(nodes, outputs, index)
      await between((index + 1) / nodes.length)
    }
    const result = outputs.at(-1)
    if (result === undefined) throw new Error('The network has no layers.')
    outputs.length = 0
    return result
  } finally {
    for (const output of new Set(outputs)) if (output !== undefined && output !== images) output.dispose()
  }
}

/** Every layer is used once and reads layers of this network alone, the first of which takes the image. */
function isPlainGraph({ layers: all, outputs }: LayersModel): boolean {
  return (
    outputs[0]?.sourceLayer === all.at(-1) &&
    all.every(({ inboundNodes }, index) => {
      const [node, ...more] = inboundNodes
      const reads = node?.inboundLayers ?? []
      const known = reads.every((layer) => all.indexOf(layer) < index && all.includes(layer))
      return more.length === 0 && known && index > 0 === reads.length > 0
    })
  )
}

/** Disposes what node `index` was the last to read; one tensor may be the output of several nodes, passed on. */
function disposeRead(nodes: readonly Node[], outputs: (tf.Tensor | undefined)[], index: number): void {
  for (const at of new Set(nodes[index]?.inputs)) {
    const output = outputs[at]
    if (output === undefined || nodes[at]?.lastReader !== index) continue
    outputs[at] = undefined
    if (at > 0 && !outputs.includes(output)) output.dispose()
  }
}
