import * as tf from '@tensorflow/tfjs-core'
import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu'
import { z } from 'zod'
import { shape4 } from './convolution.ts'
import { address, floats } from './heap.ts'
import { instanceNormRelu, instanceNormReluGradient } from './instanceNormLoops.ts'
import { input, registerWasmKernel } from './register.ts'
import { simd } from './simdFunctions.ts'
import type { NormShape } from './instanceNormLoops.ts'

/**
 * Instance normalization with ReLU as one kernel and its gradient as another, for `wasm` and `js`; the arithmetic and its
 * source are in instanceNormLoops.ts.
 * INSTANCE_NORM_RELU: x [n, h, w, c], attribute epsilon -> [y, stats [n, 2, c]].
 * INSTANCE_NORM_RELU_GRADIENT: x, stats, dy -> dx.
 */
export const INSTANCE_NORM_RELU = 'InstanceNormRelu'
export const INSTANCE_NORM_RELU_GRADIENT = 'InstanceNormReluGradient'

const attrsSchema = z.object({ epsilon: z.number() })

export function registerInstanceNorm(): void {
  registerWasmKernel(INSTANCE_NORM_RELU, ({ inputs, attrs, backend }) => {
    const x = input(inputs, 'x')
    const shape = normShape(x)
    const { count, pixels, channels } = shape
    const { epsilon } = attrsSchema.parse(attrs)
    const y = backend.makeOutput(x.shape, 'float32')
    const stats = backend.makeOutput([count, 2, channels], 'float32')
    if (channels >= 4) {
      const at = (tensor: tf.TensorInfo) => address(backend, tensor)
      simd(backend).instanceNormRelu(at(x), at(y), at(stats), count, pixels, channels, epsilon)
    } else instanceNormRelu(floats(backend, x), shape, epsilon, floats(backend, y), floats(backend, stats))
    return [y, stats]
  })
  registerWasmKernel(INSTANCE_NORM_RELU_GRADIENT, ({ inputs, backend }) => {
    const [x, stats, dy] = [input(inputs, 'x'), input(inputs, 'stats'), input(inputs, 'dy')]
    const shape = normShape(x)
    const { count, pixels, channels } = shape
    const dx = backend.makeOutput(x.shape, 'float32')
    if (channels >= 4) {
      const at = (tensor: tf.TensorInfo) => address(backend, tensor)
      simd(backend).instanceNormReluGradient(at(x), at(dy), at(dx), at(stats), count, pixels, channels)
    } else {
      const values = (tensor: tf.TensorInfo) => floats(backend, tensor)
      instanceNormReluGradient(values(x), values(stats), values(dy), shape, values(dx))
    }
    return dx
  })
}

export function registerInstanceNormForJs(): void {
  const register = (
    kernelName: string,
    kernel: (inputs: tf.NamedTensorInfoMap, attrs: unknown, backend: MathBackendCPU) => tf.TensorInfo | tf.TensorInfo[],
  ) => {
    tf.registerKernel({
      kernelName,
      backendName: 'cpu',
      kernelFunc: ({ inputs, attrs, backend }) => {
        if (backend instanceof MathBackendCPU) return kernel(inputs, attrs, backend)
        throw new Error('This kernel is for the js backend.')
      },
    })
  }
  register(INSTANCE_NORM_RELU, (inputs, attrs, backend) => {
    const x = input(inputs, 'x')
    const shape = normShape(x)
    const values = jsValues(backend, x)
    const y = new Float32Array(values.length)
    const stats = new Float32Array(shape.count * 2 * shape.channels)
    instanceNormRelu(values, shape, attrsSchema.parse(attrs).epsilon, y, stats)
    return [
      backend.makeTensorInfo(x.shape, 'float32', y),
      backend.makeTensorInfo([shape.count, 2, shape.channels], 'float32', stats),
    ]
  })
  register(INSTANCE_NORM_RELU_GRADIENT, (inputs, _attrs, backend) => {
    const x = input(inputs, 'x')
    const [values, stats, dy] = [x, input(inputs, 'stats'), input(inputs, 'dy')].map((each) => jsValues(backend, each))
    if (values === undefined || stats === undefined || dy === undefined) throw new Error('Three inputs are needed.')
    const dx = new Float32Array(values.length)
    instanceNormReluGradient(values, stats, dy, normShape(x), dx)
    return backend.makeTensorInfo(x.shape, 'float32', dx)
  })
}

function normShape(x: tf.TensorInfo): NormShape {
  const [count, height, width, channels] = shape4.parse(x.shape)
  return { count, pixels: height * width, channels }
}

function jsValues(backend: MathBackendCPU, tensor: tf.TensorInfo): Float32Array {
  const values = backend.readSync(tensor.dataId)
  if (values instanceof Float32Array) return values
  throw new Error('A float32 tensor was expected.')
}
