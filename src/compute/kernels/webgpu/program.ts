import { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu'
import * as tf from '@tensorflow/tfjs-core'
import { replaceKernel } from '../register.ts'
import type { WebGPUProgram } from '@tensorflow/tfjs-backend-webgpu'

interface WebgpuKernelArgs {
  readonly inputs: tf.NamedTensorInfoMap
  readonly attrs: tf.NamedAttrMap | undefined
  readonly backend: WebGPUBackend
}

/** The kernel of tfjs-backend-webgpu, taken before ours is registered in its place. */
export function shippedKernel(kernelName: string): tf.KernelFunc {
  return tf.getKernel(kernelName, 'webgpu').kernelFunc
}

/** Registers a kernel for the webgpu backend, in place of the one that ships if one does. */
export function registerWebgpuKernel(
  kernelName: string,
  kernel: (args: WebgpuKernelArgs) => tf.TensorInfo | tf.TensorInfo[],
): void {
  replaceKernel(kernelName, 'webgpu', ({ inputs, attrs, backend }) => {
    if (!(backend instanceof WebGPUBackend))
      throw new Error(`${kernelName} was called for a backend other than webgpu.`)
    return kernel({ inputs, attrs, backend })
  })
}

/** Whole numbers, or others where `float`, that a program reads as `uniforms.NAME`, in this order: one to four each. */
export type Uniforms = readonly {
  readonly name: string
  readonly values: readonly number[]
  readonly float?: boolean
}[]

export interface Input {
  readonly name: string
  readonly tensor: tf.TensorInfo
}

export interface Source {
  /** Names the program; two of one name and equal ranks are one. */
  readonly key: string
  readonly inputs: readonly Input[]
  readonly outputShape: readonly number[]
  readonly uniforms: Uniforms
}

/**
 * Runs WGSL code with one invocation an element of the float32 output: `code` is the body of a function of `index`
 * that gives the element's value; `coords` are its coordinates, inputs are arrays by their names, with `uniforms.NAMEShape`,
 * of integers where a tensor was cast from those: f32() what is read of them.
 */
export function runByElement(backend: WebGPUBackend, source: Source, code: string): tf.TensorInfo {
  const size = tf.util.sizeFromShape([...source.outputShape])
  const workgroup = 64
  const rank = source.outputShape.length
  return run(backend, source, {
    size: true,
    workgroupSize: [workgroup, 1, 1],
    dispatchLayout: { x: source.outputShape.map((_, axis) => axis) },
    dispatch: [Math.ceil(size / workgroup), 1, 1],
    getUserCode: () => `
      fn valueAt(index : i32) -> f32 {
        ${rank > 1 ? 'let coords = getCoordsFromIndex(index);' : ''}
        ${code}
      }
      fn main(index : i32) {
        if (index < uniforms.size) { setOutputAtIndex(index, valueAt(index)); }
      }`,
  })
}

/** Runs WGSL code by work groups of 64 invocations, `groups` of them; `code` declares `main`. The output has three axes. */
export function runByGroup(
  backend: WebGPUBackend,
  source: Source,
  groups: readonly [number, number, number],
  code: string,
): tf.TensorInfo {
  return run(backend, source, {
    workgroupSize: [64, 1, 1],
    // Says that `main` takes no index.
    dispatchLayout: { x: [2], y: [1], z: [0] },
    dispatch: [...groups],
    getUserCode: () => code,
  })
}

function run(
  backend: WebGPUBackend,
  { key, inputs, outputShape, uniforms }: Source,
  program: Pick<WebGPUProgram, 'size' | 'workgroupSize' | 'dispatchLayout' | 'dispatch' | 'getUserCode'>,
): tf.TensorInfo {
  const type = (length: number, scalar: string) => (length === 1 ? scalar : `vec${length}<${scalar}>`)
  return backend.runWebGPUProgram(
    {
      ...program,
      shaderKey: `maskwright_${key}`,
      outputShape: [...outputShape],
      variableNames: inputs.map(({ name }) => name),
      uniforms: uniforms
        .map(({ name, values, float }) => `${name} : ${type(values.length, float === true ? 'f32' : 'i32')}, `)
        .join(''),
    },
    inputs.map(({ tensor }) => tensor),
    'float32',
    uniforms.map(({ values, float }) => ({ type: float === true ? 'float32' : 'int32', data: [...values] })),
  )
}
