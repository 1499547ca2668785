import * as tf from '@tensorflow/tfjs-core'
import { address } from './heap.ts'
import { input, registerWasmKernel } from './register.ts'
import { parallel } from './threads/index.ts'

/** y (the output of a ReLU) and dy -> dy where y > 0, else 0; sizes in multiples of four. */
export const RELU_GRADIENT = 'ReluGradient'

export function registerReluGradient(): void {
  registerWasmKernel(RELU_GRADIENT, ({ inputs, backend }) => {
    const [y, dy] = [input(inputs, 'y'), input(inputs, 'dy')]
    const dx = backend.makeOutput(y.shape, 'float32')
    const at = (tensor: tf.TensorInfo) => address(backend, tensor)
    parallel(backend).run('reluGradient', tf.util.sizeFromShape(y.shape) / 4, at(y), at(dy), at(dx))
    return dx
  })
}
