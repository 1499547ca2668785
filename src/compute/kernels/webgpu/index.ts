/**
 * Kernels of ours for the webgpu backend: gradients that it gets wrong or computes with a small part of the device. Each
 * is checked against the other backends' over many shapes.
 */
import { registerAddN } from './addN.ts'
import { registerChannelSums } from './channelSums.ts'
import { registerConv2dBackpropFilter } from './conv2dBackpropFilter.ts'
import { registerConv2dBackpropInput } from './conv2dBackpropInput.ts'
import { registerMaxPoolGrad } from './maxPoolGrad.ts'
import { registerNormalization } from './normalization.ts'
import { registerReluGradient } from './reluGradient.ts'
import { registerResizeBilinearGrad } from './resizeBilinearGrad.ts'

let registered = false

/** Registers them all in place of those that ship, once. */
export function registerWebgpuKernels(): void {
  if (registered) return
  registered = true
  registerAddN()
  registerChannelSums()
  registerConv2dBackpropFilter()
  registerConv2dBackpropInput()
  registerMaxPoolGrad()
  registerResizeBilinearGrad()
  registerNormalization()
  registerReluGradient()
}
