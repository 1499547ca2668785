import * as tf from '@tensorflow/tfjs-core'
import { BackendWasm } from '@tensorflow/tfjs-backend-wasm'

interface WasmKernelArgs {
  readonly inputs: tf.NamedTensorInfoMap
  readonly attrs: tf.NamedAttrMap | undefined
  readonly backend: BackendWasm
}
type WasmKernel = (args: WasmKernelArgs) => tf.TensorInfo | tf.TensorInfo[]

/** Registers a kernel for the wasm backend, in place of the one that ships if one does; returns the shipped one. */
export function registerWasmKernel(kernelName: string, kernel: WasmKernel): tf.KernelFunc | undefined {
  return replaceKernel(kernelName, 'wasm', ({ inputs, attrs, backend }) => {
    if (!(backend instanceof BackendWasm)) throw new Error(`${kernelName} was called for a backend other than wasm.`)
    return freeingOnFailure(backend, () => kernel({ inputs, attrs, backend }))
  })
}

const watched = new WeakSet<BackendWasm>()
/** What the kernel that runs has made so far; null where none of ours runs. */
let made: tf.TensorInfo[] | null = null

/** Where a kernel fails, as when memory runs out, it frees what it made before: nobody else knows of it. */
function freeingOnFailure<T>(backend: BackendWasm, run: () => T): T {
  if (!watched.has(backend)) {
    watched.add(backend)
    const makeOutput = backend.makeOutput.bind(backend)
    backend.makeOutput = (...args) => {
      const output = makeOutput(...args)
      made?.push(output)
      return output
    }
  }
  const own: tf.TensorInfo[] = []
  made = own
  try {
    return run()
  } catch (error) {
    for (const { dataId } of own) backend.disposeData(dataId, true)
    throw error
  } finally {
    made = null
  }
}

export function replaceKernel(
  kernelName: string,
  backendName: string,
  kernelFunc: tf.KernelFunc,
): tf.KernelFunc | undefined {
  const shipped = tf.getKernelsForBackend(backendName).find((kernel) => kernel.kernelName === kernelName)
  if (shipped !== undefined) tf.unregisterKernel(kernelName, backendName)
  tf.registerKernel({ kernelName, backendName, kernelFunc })
  return shipped?.kernelFunc
}

/** What the shipped kernel gives, where ours does not do a case. */
export function callShipped(shipped: tf.KernelFunc | undefined, args: WasmKernelArgs): tf.TensorInfo {
  if (shipped === undefined) throw new Error('There is no kernel for this.')
  const { inputs, attrs, backend } = args
  const result = shipped({ inputs, backend, ...(attrs ? { attrs } : {}) })
  if (Array.isArray(result)) throw new Error('A kernel with one output was expected.')
  return result
}

export function input(inputs: tf.NamedTensorInfoMap, name: string): tf.TensorInfo {
  const tensor = inputs[name]
  if (tensor === undefined) throw new Error(`The kernel's input "${name}" is missing.`)
  return tensor
}

export type { WasmKernelArgs }
