import type * as tf from '@tensorflow/tfjs-core'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'

/**
 * The float32 values of a tensor where they lie in WebAssembly memory, without a copy. The view is void as soon as
 * anything allocates (memory may grow): allocate outputs first, take views afterwards.
 */
export function floats(backend: BackendWasm, tensor: tf.TensorInfo): Float32Array {
  const view = backend.typedArrayFromHeap(tensor)
  if (!(view instanceof Float32Array)) throw new Error(`A float32 tensor was expected, not ${tensor.dtype}.`)
  return view
}

/** The same memory read as whole numbers of 32 bits. */
export function integers(backend: BackendWasm, tensor: tf.TensorInfo): Int32Array {
  const view = backend.typedArrayFromHeap({ ...tensor, dtype: 'int32' })
  if (!(view instanceof Int32Array)) throw new Error('Whole numbers were expected.')
  return view
}

/** Byte offset of a tensor's values in WebAssembly memory. */
export function address(backend: BackendWasm, tensor: tf.TensorInfo): number {
  return backend.getMemoryOffset(tensor.dataId)
}
