/** Kernels of ours for the wasm backend: gradients that it lacks or computes slowly. One file a kernel. */
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { registerConv2dBackpropFilter } from './conv2dBackpropFilter.ts'
import { registerConv2dBackpropInput } from './conv2dBackpropInput.ts'

/** Registers them all in place of those that ship. Once, after the backend has started. */
export function registerWasmKernels(_backend: BackendWasm): void {
  registerConv2dBackpropFilter()
  registerConv2dBackpropInput()
}
