import * as tf from '@tensorflow/tfjs-core'
import { NATIVE_BACKEND, NativeBackend } from '../backend.ts'
import { valueIn } from '../tensors.ts'
import type { Value } from '../graph/types.ts'
import type { Layout } from '../tensors.ts'

/** What a kernel is given: TensorFlow.js's inputs and attributes, and what it needs to add nodes. */
export interface KernelCall {
  /** Throws where the kernel was not given an input of this name. */
  readonly input: (name: string) => tf.TensorInfo
  /** The input's value; in TensorFlow.js's own order unless another layout is asked for. */
  readonly value: (name: string, layout?: Layout) => Value
  /** null where there is none. */
  readonly optional: (name: string) => tf.TensorInfo | null
  readonly inputs: tf.NamedTensorInfoMap
  readonly attrs: tf.NamedAttrMap
  readonly backend: NativeBackend
}

export type NativeKernel = (call: KernelCall) => tf.TensorInfo | tf.TensorInfo[]

/** Registers a kernel of TensorFlow.js for the recorder. */
export function registerNativeKernel(kernelName: string, kernel: NativeKernel): void {
  tf.registerKernel({
    kernelName,
    backendName: NATIVE_BACKEND,
    kernelFunc: ({ inputs, attrs = {}, backend }) => {
      if (!(backend instanceof NativeBackend)) throw new Error(`${kernelName} was called for another backend.`)
      const optional = (name: string): tf.TensorInfo | null => inputs[name] ?? null
      const input = (name: string): tf.TensorInfo => {
        const info = optional(name)
        if (info === null) throw new Error(`The input "${name}" of ${kernelName} is missing.`)
        return info
      }
      const value = (name: string, layout: Layout = 'plain') => valueIn(backend.recorded(input(name)), layout)
      return kernel({ input, value, optional, inputs, attrs, backend })
    },
  })
}

/** The layout in which a tensor was made. */
export function layoutOf(backend: NativeBackend, info: tf.TensorInfo): Layout {
  return backend.recorded(info).layout
}
