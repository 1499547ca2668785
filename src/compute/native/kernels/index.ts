/** Kernels of the recorder: each adds the nodes that compute what TensorFlow.js defines. One file a kernel. */
import { registerAdd } from './add.ts'
import { registerIdentity } from './identity.ts'
import { registerReshape } from './reshape.ts'

let registered = false

/** Registers them all, once. */
export function registerNativeKernels(): void {
  if (registered) return
  registered = true
  registerAdd()
  registerIdentity()
  registerReshape()
}
