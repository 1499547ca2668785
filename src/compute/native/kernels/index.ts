/** Kernels of the recorder: each adds the nodes that compute what TensorFlow.js defines. One file a kernel. */
import { registerArithmeticKernels } from './arithmeticKernels.ts'
import { registerImageKernels } from './imageKernels.ts'
import { registerMovementKernels } from './movementKernels.ts'

let registered = false

/** Registers them all, once. */
export function registerNativeKernels(): void {
  if (registered) return
  registered = true
  registerArithmeticKernels()
  registerImageKernels()
  registerMovementKernels()
}
