import * as tf from '@tensorflow/tfjs-core'
import { CodedError } from '../../core/contract/errors.ts'
import { forwardInTurns, forwardOf } from '../models/forward.ts'
import { OutOfMemoryError } from '../runtime/failures.ts'
import { releaseIdle } from '../runtime/deviceMemory.ts'
import { createProgram, isRecording, settleRecorded } from '../runtime/program.ts'
import { readFloats } from '../runtime/tensors.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { BetweenLayers } from '../models/forward.ts'
import type { Program } from '../runtime/program.ts'

export interface Logits {
  /** n x height x width x classes. */
  readonly logits: Float32Array
  readonly classes: number
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

/** Of a network that is trained meanwhile: where the backend records, its weights are not made part of the graph. */
export const passInTraining: ForwardPass = passBy(new WeakMap(), false)

function passBy(programs: WeakMap<LayersModel, Program>, frozen: boolean): ForwardPass {
  const recorded = (network: LayersModel): Program => {
    const program =
      programs.get(network) ??
      createProgram(([images]) => (images === undefined ? [] : [forwardOf(network)(images, false)]), {
        frozen,
        anySize: true,
      })
    programs.set(network, program)
    return program
  }
  return async (network, input, shape, between) => {
    const images = tf.tensor4d(input, shape)
    try {
      const output =
        isRecording() && input.length * network.countParams() <= LONG_GRAPH
          ? only(await recorded(network).run([images]))
          : await inTurns(network, images, between)
      try {
        const logits = await readFloats(output)
        await refuseLostZeros(logits)
        return { logits, classes: output.shape[3] ?? 0 }
      } finally {
        output.dispose()
      }
    } finally {
      images.dispose()
    }
  }
}

/** What is long lets messages in between. */
async function inTurns(network: LayersModel, images: tf.Tensor, between: BetweenLayers): Promise<tf.Tensor> {
  if (isRecording()) return await forwardInTurns(network, images, inParts(between))
  const long = images.size > LONG_PASS || tf.getBackend() === 'cpu'
  return long ? await forwardInTurns(network, images, between) : tf.tidy(() => forwardOf(network)(images, false))
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

function only([output]: readonly tf.Tensor[]): tf.Tensor {
  if (output === undefined) throw new Error('A network has an output.')
  return output
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
