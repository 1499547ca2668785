import * as tf from '@tensorflow/tfjs-core'
import { registerWebgpuKernel, shippedKernel } from './program.ts'

/** The sum of any number of tensors. (The shipped kernel reads all in one program, which takes about ten at most.) */
export function registerAddN(): void {
  const shipped = shippedKernel(tf.AddN)
  const add = shippedKernel(tf.Add)
  registerWebgpuKernel(tf.AddN, ({ inputs, attrs = {}, backend }) => {
    const [first, ...rest] = Object.values(inputs)
    // One buffer is the output.
    const most = backend.device.limits.maxStorageBuffersPerShaderStage - 1
    if (first === undefined || rest.length < most) return shipped({ inputs, attrs, backend })
    let sum = first
    for (const next of rest) {
      const [added] = [add({ inputs: { a: sum, b: next }, attrs: {}, backend })].flat()
      if (added === undefined) throw new Error('A sum has one output.')
      if (sum !== first) backend.disposeData(sum.dataId)
      sum = added
    }
    return sum
  })
}
