import * as tf from '@tensorflow/tfjs-core'
import { address } from './heap.ts'
import { input, registerWasmKernel } from './register.ts'
import { BIAS_BLOCK } from './simd/biasGradient.ts'
import { parallel } from './threads/index.ts'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'

/** y (the output of a ReLU) and dy -> dy where y > 0, else 0; sizes in multiples of four. */
export const RELU_GRADIENT = 'ReluGradient'

/** dy [..., c] -> its sum over all but the channels [c]. */
export const BIAS_GRADIENT = 'BiasGradient'

/** Both in one pass: y, dy [..., c] -> [dx, the sum of dx over all but the channels]. */
export const RELU_BIAS_GRADIENT = 'ReluBiasGradient'

export function registerReluGradient(): void {
  registerWasmKernel(RELU_GRADIENT, ({ inputs, backend }) => {
    const [y, dy] = [input(inputs, 'y'), input(inputs, 'dy')]
    const dx = backend.makeOutput(y.shape, 'float32')
    const at = (tensor: tf.TensorInfo) => address(backend, tensor)
    parallel(backend).run('reluGradient', tf.util.sizeFromShape(y.shape) / 4, at(y), at(dy), at(dx))
    return dx
  })
  registerWasmKernel(BIAS_GRADIENT, ({ inputs, backend }) => {
    const dy = input(inputs, 'dy')
    return summed(backend, dy, (units, partial, pixels, channels) => {
      parallel(backend).run('biasGradient', units, address(backend, dy), partial, pixels, channels)
    })
  })
  registerWasmKernel(RELU_BIAS_GRADIENT, ({ inputs, backend }) => {
    const [y, dy] = [input(inputs, 'y'), input(inputs, 'dy')]
    const dx = backend.makeOutput(y.shape, 'float32')
    const addresses = [y, dy, dx].map((tensor) => address(backend, tensor))
    const sum = summed(backend, dy, (units, partial, pixels, channels) => {
      parallel(backend).run('reluBiasGradient', units, ...addresses, partial, pixels, channels)
    })
    return [dx, sum]
  })
}

/** Lets `pass` write sums by block of pixels and adds them up, always in the same order. */
function summed(
  backend: BackendWasm,
  { shape }: tf.TensorInfo,
  pass: (units: number, partial: number, pixels: number, channels: number) => void,
): tf.TensorInfo {
  const channels = shape.at(-1) ?? 1
  const pixels = tf.util.sizeFromShape(shape) / channels
  const units = Math.ceil(pixels / BIAS_BLOCK)
  const quads = Math.ceil(channels / 4)
  const out = backend.makeOutput([channels], 'float32')
  const partial = backend.makeOutput([units, 4 * quads], 'float32')
  try {
    const at = address(backend, partial)
    pass(units, at, pixels, channels)
    parallel(backend).run('sumSlots', 1, at, 16 * quads, units, quads, channels, address(backend, out))
  } finally {
    backend.disposeData(partial.dataId)
  }
  return out
}
