/**
 * Kernels of ours for the wasm backend: gradients that it lacks, computes slowly or gets wrong. One file a kernel; each
 * is checked against numeric differentiation and against the `js` backend.
 */
import { registerConv2dBackpropFilter } from './conv2dBackpropFilter.ts'
import { registerConv2dBackpropInput } from './conv2dBackpropInput.ts'
import { registerMaxPoolGrad } from './maxPoolGrad.ts'
import {
  registerResizeNearestNeighborGrad,
  registerResizeNearestNeighborGradForJs,
} from './resizeNearestNeighborGrad.ts'

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
}

/** Puts right what is wrong in the `js` backend. */
export function registerJsKernels(): void {
  if (registeredForJs) return
  registeredForJs = true
  registerResizeNearestNeighborGradForJs()
}
