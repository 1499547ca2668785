import * as tf from '@tensorflow/tfjs-core'
import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu'
import { address, floats } from './heap.ts'
import { input, registerWasmKernel } from './register.ts'
import { emptySums, lossAndGradient, lossTerms } from './segmentationLossLoops.ts'
import { LOSS_BLOCK, LOSS_SUMS } from './simd/segmentationLoss.ts'
import { parallel } from './threads/index.ts'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import type { LossSums } from './segmentationLossLoops.ts'

/**
 * The loss of segmentation and its gradient as one kernel; the arithmetic and its source are in
 * segmentationLossLoops.ts.
 * logits [..., c] float32 and classes [...] int32 (one a pixel; IGNORED counts for nothing)
 * -> [loss (a scalar), gradient (of the logits' shape, d loss / d logits)].
 */
export const SEGMENTATION_LOSS = 'SegmentationLoss'

export function registerSegmentationLoss(): void {
  registerWasmKernel(SEGMENTATION_LOSS, ({ inputs, backend }) => {
    const [logits, classes] = [input(inputs, 'logits'), input(inputs, 'classes')]
    const loss = backend.makeOutput([], 'float32')
    const gradient = backend.makeOutput(logits.shape, 'float32')
    const fours = tf.util.sizeFromShape(classes.shape) % 4 === 0
    const value = fours ? onThreads(backend, logits, classes, gradient) : onHeap(backend, logits, classes, gradient)
    floats(backend, loss).fill(value)
    return [loss, gradient]
  })
}

/** By the assembled functions; the sums of the blocks are added up in their order, whoever computed them. */
function onThreads(
  backend: BackendWasm,
  logits: tf.TensorInfo,
  classes: tf.TensorInfo,
  gradient: tf.TensorInfo,
): number {
  const classCount = logits.shape.at(-1) ?? 0
  const pixels = tf.util.sizeFromShape(classes.shape)
  const blocks = Math.ceil(pixels / LOSS_BLOCK)
  const partial = backend.makeOutput([blocks, classCount, LOSS_SUMS, 4], 'float32')
  const factors = backend.makeOutput([classCount, 3], 'float32')
  const at = (tensor: tf.TensorInfo) => address(backend, tensor)
  const { run } = parallel(backend)
  run('lossSums', blocks, at(logits), at(classes), at(gradient), at(partial), pixels, classCount)
  const { loss, weights, ofHit, ofMiss } = lossTerms(addedUp(floats(backend, partial), blocks, classCount))
  const terms = floats(backend, factors)
  for (let c = 0; c < classCount; c++) {
    terms[3 * c] = weights[c] ?? 0
    terms[3 * c + 1] = ofMiss[c] ?? 0
    terms[3 * c + 2] = (ofHit[c] ?? 0) - (ofMiss[c] ?? 0)
  }
  run('lossGradient', blocks, at(gradient), at(classes), at(factors), pixels, classCount)
  backend.disposeData(partial.dataId)
  backend.disposeData(factors.dataId)
  return loss
}

function addedUp(partial: Float32Array, blocks: number, classCount: number): LossSums {
  const sums = emptySums(classCount)
  const order = [sums.truth, sums.predicted, sums.overlap, sums.surprise]
  for (let block = 0; block < blocks; block++) {
    for (let c = 0; c < classCount; c++) {
      for (const [k, sum] of order.entries()) {
        const from = ((block * classCount + c) * LOSS_SUMS + k) * 4
        for (let lane = from; lane < from + 4; lane++) sum[c] = (sum[c] ?? 0) + (partial[lane] ?? 0)
      }
    }
  }
  return sums
}

/** By loops over the values where they lie, for a number of pixels that four does not divide. */
function onHeap(backend: BackendWasm, logits: tf.TensorInfo, classes: tf.TensorInfo, gradient: tf.TensorInfo): number {
  const classCount = logits.shape.at(-1) ?? 0
  return lossAndGradient(floats(backend, logits), integers(backend, classes), classCount, floats(backend, gradient))
}

export function registerSegmentationLossForJs(): void {
  tf.registerKernel({
    kernelName: SEGMENTATION_LOSS,
    backendName: 'cpu',
    kernelFunc: ({ inputs, backend }) => {
      if (!(backend instanceof MathBackendCPU)) throw new Error('This kernel is for the js backend.')
      const logits = input(inputs, 'logits')
      const values = backend.readSync(logits.dataId)
      const classes = backend.readSync(input(inputs, 'classes').dataId)
      if (!(values instanceof Float32Array && classes instanceof Int32Array)) {
        throw new Error('The loss takes logits as float32 and classes as int32.')
      }
      const gradient = new Float32Array(values.length)
      const loss = lossAndGradient(values, classes, logits.shape.at(-1) ?? 0, gradient)
      return [
        backend.makeTensorInfo([], 'float32', Float32Array.of(loss)),
        backend.makeTensorInfo(logits.shape, 'float32', gradient),
      ]
    },
  })
}

function integers(backend: BackendWasm, tensor: tf.TensorInfo): Int32Array {
  const view = backend.typedArrayFromHeap(tensor)
  if (!(view instanceof Int32Array)) throw new Error(`An int32 tensor was expected, not ${tensor.dtype}.`)
  return view
}
