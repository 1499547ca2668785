import * as tf from '@tensorflow/tfjs-core'

const known = new Map<string, boolean>()

/** Whether the current backend has a kernel of this name; where not, the operation is composed of others. */
export function hasKernel(name: string): boolean {
  const backend = tf.getBackend()
  const key = `${backend} ${name}`
  const found = known.get(key) ?? tf.getKernelsForBackend(backend).some((kernel) => kernel.kernelName === name)
  known.set(key, found)
  return found
}
