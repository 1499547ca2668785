import * as tf from '@tensorflow/tfjs-core'
import { address, floats } from './heap.ts'
import { isPlainHalving, poolInfo } from './maxPool.ts'
import { input, registerWasmKernel } from './register.ts'
import { parallel } from './threads/index.ts'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import type { WasmKernelArgs } from './register.ts'

/**
 * Gradient of max pooling: each output's gradient goes to the first pixel of its window, in row order, that holds the
 * maximum; never to several. (The kernel that ships with tfjs-backend-wasm 4.22 takes a window without a
 * positive value for empty.) dy [n, oh, ow, c], input [n, h, w, c] -> [n, h, w, c]. Any size, stride and padding.
 */
export function registerMaxPoolGrad(): void {
  registerWasmKernel(tf.MaxPoolGrad, maxPoolGrad)
}

function maxPoolGrad({ inputs, attrs, backend }: WasmKernelArgs): tf.TensorInfo {
  const x = input(inputs, 'input')
  const info = poolInfo(x, attrs)
  if (info === null) throw new Error('MaxPoolGrad does not take padding by the side.')
  const dy = input(inputs, 'dy')
  const out = backend.makeOutput(info.inShape, 'float32')
  if (isPlainHalving(info) && info.inChannels >= 4) {
    const at = (tensor: tf.TensorInfo) => address(backend, tensor)
    const { batchSize, outHeight, outWidth, inChannels } = info
    parallel(backend).run('maxPool2Gradient', batchSize * outHeight, at(x), at(dy), at(out), outWidth, inChannels)
  } else scatter(backend, info, x, dy, out)
  return out
}

function scatter(
  backend: BackendWasm,
  info: tf.backend_util.Conv2DInfo,
  x: tf.TensorInfo,
  dy: tf.TensorInfo,
  dx: tf.TensorInfo,
): void {
  const { batchSize, inHeight, inWidth, outHeight, outWidth, inChannels: channels, strideHeight, strideWidth } = info
  const image = floats(backend, x)
  const gradient = floats(backend, dy)
  const result = floats(backend, dx).fill(0)
  for (let n = 0; n < batchSize; n++) {
    for (let oy = 0; oy < outHeight; oy++) {
      const top = oy * strideHeight - info.padInfo.top
      const firstRow = Math.max(0, top)
      const endRow = Math.min(inHeight, top + info.filterHeight)
      for (let ox = 0; ox < outWidth; ox++) {
        const left = ox * strideWidth - info.padInfo.left
        const firstColumn = Math.max(0, left)
        const endColumn = Math.min(inWidth, left + info.filterWidth)
        const from = ((n * outHeight + oy) * outWidth + ox) * channels
        for (let c = 0; c < channels; c++) {
          let best = -1
          let top = -Infinity
          for (let y = firstRow; y < endRow; y++) {
            let at = ((n * inHeight + y) * inWidth + firstColumn) * channels + c
            for (let x = firstColumn; x < endColumn; x++, at += channels) {
              const value = image[at] ?? 0
              if (value > top) {
                top = value
                best = at
              }
            }
          }
          if (best >= 0) result[best] = (result[best] ?? 0) + (gradient[from + c] ?? 0)
        }
      }
    }
  }
}
