import * as tf from '@tensorflow/tfjs-core'
import { callShipped, input, registerWasmKernel } from './register.ts'

/**
 * A tensor of the same values, which shares the memory of the first: as on other backends, and unlike the kernel that
 * ships, which copies. TensorFlow.js clones each tensor that a gradient will need.
 */
export function registerIdentity(): void {
  const shipped = registerWasmKernel(tf.Identity, (args) => {
    const x = input(args.inputs, 'x')
    if (x.dtype === 'string') return callShipped(shipped, args)
    args.backend.incRef(x.dataId)
    return { dataId: x.dataId, shape: x.shape, dtype: x.dtype }
  })
}
