import * as tf from '@tensorflow/tfjs-core'
import { CodedError } from '../../core/contract/errors.ts'
import { forwardInTurns, forwardOf } from '../models/forward.ts'
import { OutOfMemoryError } from '../runtime/failures.ts'
import { releaseIdle } from '../runtime/deviceMemory.ts'
import { createProgram, isRecording, settleRecorded } from '../runtime/program.ts'
import { readFloats } from '../runtime/tensors.ts'
import { deepestLayer } from './receptiveField.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { BetweenLayers, SeenLayer } from '../models/forward.ts'
import type { Program, ProgramBody } from '../runtime/program.ts'

export interface Logits {
  /** n x height x width x classes. */
  readonly logits: Float32Array
  readonly classes: number
  /** n x features: the mean over the pixels of what the network's deepest layer gives, of passes that tell it. */
  readonly features?: Float32Array
}

/** One batch of images [n, h, w, 1] through the network. Leaves no tensor behind. */
export type ForwardPass = (
  network: LayersModel,
  input: Float32Array,
  shape: [number, number, number, number],
  between: BetweenLayers,
) => Promise<Logits>

/** Passes of more pixels than this let messages in between their layers: a layer then takes a tenth of a second or so. */
const LONG_PASS = 2 ** 18
/**
 * Where the backend records, a pass is one graph, and ONNX Runtime keeps the process from its messages while it runs. So a
 * pass of more pixels times weights than this, which is a matter of seconds, is computed in several graphs; all in all that
 * takes longer by an eighth to twice, by the network.
 */
const LONG_GRAPH = 2 ** 42
const PARTS = 6

/** Of a network whose weights stay as they are. */
export const forwardPass: ForwardPass = passBy(new WeakMap(), true)

/**
 * Of a network whose weights stay as they are, with features (Logits) beside. None of those that cannot be run layer by
 * layer.
 */
export const describingPass: ForwardPass = passBy(new WeakMap(), true, true)

/** Of a network that is trained meanwhile: where the backend records, its weights are not made part of the graph. */
export const passInTraining: ForwardPass = passBy(new WeakMap(), false)

function passBy(programs: WeakMap<LayersModel, Program>, frozen: boolean, describing = false): ForwardPass {
  const watch = (network: LayersModel): Watch | null => (describing ? watchDeepest(network) : null)
  const recorded = (network: LayersModel): Program => {
    const body: ProgramBody = ([images]) => {
      const seen = watch(network)
      return images === undefined ? [] : outputsOf(forwardOf(network)(images, false, undefined, seen?.layer), seen)
    }
    const program = programs.get(network) ?? createProgram(body, { frozen, anySize: true })
    programs.set(network, program)
    return program
  }
  return async (network, input, shape, between) => {
    const images = tf.tensor4d(input, shape)
    try {
      const outputs =
        isRecording() && input.length * network.countParams() <= LONG_GRAPH
          ? await recorded(network).run([images])
          : await inTurns(network, images, between, watch(network))
      try {
        const [output, means] = outputs
        if (output === undefined) throw new Error('A network has an output.')
        const logits = await readFloats(output)
        await refuseLostZeros(logits)
        const features = means === undefined ? {} : { features: await readFloats(means) }
        return { logits, classes: output.shape[3] ?? 0, ...features }
      } finally {
        tf.dispose(outputs)
      }
    } finally {
      images.dispose()
    }
  }
}

interface Watch {
  readonly layer: SeenLayer
  /** n x features; null where the layer was not seen. The caller's to dispose. */
  means(): tf.Tensor | null
}

function watchDeepest(network: LayersModel): Watch {
  const deepest = deepestLayer(network)
  let means: tf.Tensor | null = null
  return {
    layer(layer, output) {
      if (layer === deepest) means = tf.tidy(() => tf.mean(output, [1, 2]))
    },
    means: () => means,
  }
}

function outputsOf(output: tf.Tensor, watch: Watch | null): tf.Tensor[] {
  const means = watch?.means() ?? null
  return means === null ? [output] : [output, means]
}

/** What is long lets messages in between. */
async function inTurns(
  network: LayersModel,
  images: tf.Tensor,
  between: BetweenLayers,
  watch: Watch | null,
): Promise<tf.Tensor[]> {
  const long = images.size > LONG_PASS || tf.getBackend() === 'cpu'
  if (!isRecording() && !long) {
    return tf.tidy(() => outputsOf(forwardOf(network)(images, false, undefined, watch?.layer), watch))
  }
  try {
    const wait = isRecording() ? inParts(between) : between
    return outputsOf(await forwardInTurns(network, images, wait, watch?.layer), watch)
  } catch (error) {
    watch?.means()?.dispose()
    throw error
  }
}

/** Computes what was recorded since the last time, PARTS times in all. */
function inParts(between: BetweenLayers): BetweenLayers {
  let parts = 0
  return async (share) => {
    const reached = Math.floor(share * PARTS)
    if (reached === parts) return
    parts = reached
    await settleRecorded()
    // Each part has a session of its own, which would keep the memory of its run for the next.
    releaseIdle()
    await between(share)
  }
}

/**
 * A device that is lost, or a buffer that was not had, reads as zeros. A network gives exactly 0 for every class of every
 * pixel only if its last weights are all 0: then a sum on the device tells which it is.
 */
async function refuseLostZeros(logits: Float32Array): Promise<void> {
  if (tf.getBackend() !== 'webgpu' || logits.some((value) => value !== 0)) return
  const sum = tf.tidy(() => tf.add(tf.tensor1d([1, 2]), tf.tensor1d([2, 5])))
  try {
    const [three, seven] = await readFloats(sum)
    if (three !== 3 || seven !== 7)
      throw new CodedError('backend-lost', 'The graphics device computes nothing any more.')
  } finally {
    sum.dispose()
  }
  throw new OutOfMemoryError('Out of memory: the graphics device gave nothing but zeros.')
}

/** Throws CodedError('compute-failed') when a value is no number: there is no label to take from it. */
export function checkLogits(logits: Float32Array, model: string): void {
  // Of four sums, so that none waits for another; NaN and infinite stay what they are, and a sum of others is finite.
  let [a, b, c, d] = [0, 0, 0, 0]
  let i = 0
  for (; i + 3 < logits.length; i += 4) {
    a += logits[i] ?? 0
    b += logits[i + 1] ?? 0
    c += logits[i + 2] ?? 0
    d += logits[i + 3] ?? 0
  }
  for (; i < logits.length; i++) a += logits[i] ?? 0
  if (Number.isFinite(a + b + c + d)) return
  throw new CodedError(
    'compute-failed',
    `The model ${model} gives values that are no numbers, so nothing was predicted; use an earlier version of it.`,
  )
}
