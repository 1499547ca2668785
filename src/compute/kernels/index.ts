/**
 * Kernels of ours for the wasm backend: gradients that it lacks, computes slowly or gets wrong, and operations that it
 * has only as many. One file a kernel; each is checked against numeric differentiation or against the `js` backend.
 */
import { registerConv2d } from './conv2d.ts'
import { registerConv2dBackpropFilter } from './conv2dBackpropFilter.ts'
import { registerConv2dBackpropInput } from './conv2dBackpropInput.ts'
import { registerDepthwiseConvolution, registerDepthwiseGradients } from './depthwise.ts'
import { registerIdentity } from './identity.ts'
import { registerMaxPool } from './maxPool.ts'
import { registerMaxPoolGrad } from './maxPoolGrad.ts'
import { registerNormalization, registerNormalizationForJs } from './normalization.ts'
import { registerOptimizerUpdates, registerOptimizerUpdatesForJs } from './optimizerUpdates.ts'
import { registerPixelBlocks } from './pixelBlocks.ts'
import { registerReluGradient } from './reluGradient.ts'
import { registerResizeBilinearGrad, registerResizeBilinearGradForJs } from './resizeBilinearGrad.ts'
import {
  registerResizeNearestNeighbor,
  registerResizeNearestNeighborGrad,
  registerResizeNearestNeighborGradForJs,
} from './resizeNearestNeighbor.ts'
import { registerAvgPoolGrad, registerAvgPoolGradForJs } from './avgPoolGrad.ts'
import { registerChannelKernels } from './channels.ts'
import { registerSegmentationLoss, registerSegmentationLossForJs } from './segmentationLoss.ts'

export { NORMALIZATION, NORMALIZATION_GRADIENT } from './normalization.ts'
export { JOIN_PIXELS, SPREAD_PIXELS } from './pixelBlocks.ts'
export { BIAS_GRADIENT, RELU_BIAS_GRADIENT, RELU_GRADIENT } from './reluGradient.ts'
export { ADAM_UPDATE, MOMENTUM_UPDATE, PULL_UPDATE, SQUARE_SUM } from './optimizerUpdates.ts'
export { JOIN_CHANNELS, SPLIT_CHANNELS } from './channels.ts'
export { SEGMENTATION_LOSS } from './segmentationLoss.ts'

let registered = false
let registeredForJs = false

/** Registers them all in place of those that ship, once. */
export function registerWasmKernels(): void {
  if (registered) return
  registered = true
  registerConv2d()
  registerConv2dBackpropFilter()
  registerConv2dBackpropInput()
  registerIdentity()
  registerMaxPool()
  registerMaxPoolGrad()
  registerResizeNearestNeighbor()
  registerResizeNearestNeighborGrad()
  registerResizeBilinearGrad()
  registerAvgPoolGrad()
  registerDepthwiseConvolution()
  registerDepthwiseGradients()
  registerNormalization()
  registerChannelKernels()
  registerReluGradient()
  registerPixelBlocks()
  registerSegmentationLoss()
  registerOptimizerUpdates()
}

/** Puts right what is wrong in the `js` backend, and adds what both have. */
export function registerJsKernels(): void {
  if (registeredForJs) return
  registeredForJs = true
  registerResizeNearestNeighborGradForJs()
  registerResizeBilinearGradForJs()
  registerAvgPoolGradForJs()
  registerNormalizationForJs()
  registerSegmentationLossForJs()
  registerOptimizerUpdatesForJs()
}
