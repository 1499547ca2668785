import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu'
import type * as tf from '@tensorflow/tfjs-core'

/**
 * The float32 values of a tensor of the `js` backend: the array that the backend holds, not a copy, so that what is written
 * there is the tensor's.
 */
export function jsFloats(backend: unknown, { dataId }: tf.TensorInfo): Float32Array {
  const js = jsBackend(backend)
  const values = js.readSync(dataId)
  // Arrays of another type are converted at each reading.
  if (values instanceof Float32Array && values === js.readSync(dataId)) return values
  throw new Error('A float32 tensor was expected.')
}

/** A new tensor of the `js` backend that holds these values. */
export function jsTensor(backend: unknown, values: Float32Array, shape: number[]): tf.TensorInfo {
  return jsBackend(backend).makeTensorInfo(shape, 'float32', values)
}

function jsBackend(backend: unknown): MathBackendCPU {
  if (backend instanceof MathBackendCPU) return backend
  throw new Error('This kernel is for the js backend.')
}
