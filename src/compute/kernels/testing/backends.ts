import * as tf from '@tensorflow/tfjs-core'

/** The `js` backend under another name and without some of its kernels, made the current one. */
export async function backendWithout(kernels: readonly string[]): Promise<void> {
  const name = `js-without-${kernels.join('-')}`
  if (!(name in tf.engine().registryFactory)) {
    tf.registerBackend(name, tf.findBackendFactory('cpu'))
    for (const kernel of tf.getKernelsForBackend('cpu')) {
      if (!kernels.includes(kernel.kernelName)) tf.registerKernel({ ...kernel, backendName: name })
    }
  }
  await tf.setBackend(name)
}
