import * as tf from '@tensorflow/tfjs-core'
import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu'
import { floats } from './heap.ts'
import { input, registerWasmKernel } from './register.ts'
import { lossAndGradient } from './segmentationLossLoops.ts'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'

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
    const value = lossAndGradient(
      floats(backend, logits),
      integers(backend, classes),
      logits.shape.at(-1) ?? 0,
      floats(backend, gradient),
    )
    floats(backend, loss).fill(value)
    return [loss, gradient]
  })
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
