/**
 * Kernels of ours for the wasm backend: gradients that it lacks, computes slowly or gets wrong, and operations that it
 * has only as many. One file a kernel; each is checked against numeric differentiation or against the `js` backend.
 */
import { registerConv2dBackpropFilter } from './conv2dBackpropFilter.ts'
import { registerConv2dBackpropInput } from './conv2dBackpropInput.ts'
import { registerInstanceNorm, registerInstanceNormForJs } from './instanceNorm.ts'
import { registerMaxPoolGrad } from './maxPoolGrad.ts'
import { registerNormalization, registerNormalizationForJs } from './normalization.ts'
import { registerOptimizerUpdates, registerOptimizerUpdatesForJs } from './optimizerUpdates.ts'
import { registerReluGradient } from './reluGradient.ts'
import {
  registerResizeNearestNeighborGrad,
  registerResizeNearestNeighborGradForJs,
} from './resizeNearestNeighborGrad.ts'
import { registerChannelKernels } from './channels.ts'
import { registerSegmentationLoss, registerSegmentationLossForJs } from './segmentationLoss.ts'

export { INSTANCE_NORM_RELU, INSTANCE_NORM_RELU_GRADIENT } from './instanceNorm.ts'
export { NORMALIZATION, NORMALIZATION_GRADIENT } from './normalization.ts'
export { RELU_GRADIENT } from './reluGradient.ts'
export { ADAM_UPDATE, MOMENTUM_UPDATE, SQUARE_SUM } from './optimizerUpdates.ts'
export { JOIN_CHANNELS, SPLIT_CHANNELS } from './channels.ts'
export { SEGMENTATION_LOSS } from './segmentationLoss.ts'

let registered = false
let registeredForJs = false

/** Registers them all in place of those that ship, once. */
export function registerWasmKernels(): void {
  if (registered) return
  registered = true
  registerConv2dBackpropFilter()
  registerConv2dBackpropInput()
  registerMaxPoolGrad()
  registerResizeNearestNeighborGrad()
  registerInstanceNorm()
  registerNormalization()
  registerChannelKernels()
  registerReluGradient()
  registerSegmentationLoss()
  registerOptimizerUpdates()
}

/** Puts right what is wrong in the `js` backend, and adds what both have. */
export function registerJsKernels(): void {
  if (registeredForJs) return
  registeredForJs = true
  registerResizeNearestNeighborGradForJs()
  registerInstanceNormForJs()
  registerNormalizationForJs()
  registerSegmentationLossForJs()
  registerOptimizerUpdatesForJs()
}
