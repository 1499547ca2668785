import * as tf from '@tensorflow/tfjs-core'
import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu'
import { z } from 'zod'
import { shape4 } from './convolution.ts'
import { address, floats } from './heap.ts'
import { callShipped, input, replaceKernel, registerWasmKernel } from './register.ts'
import { parallel } from './threads/index.ts'

const attrsSchema = z.object({ alignCorners: z.boolean(), halfPixelCenters: z.boolean().optional() })
const forwardAttrs = attrsSchema.extend({ size: z.tuple([z.number(), z.number()]) })

/** Nearest-neighbour resizing: doubling on all threads, otherwise by the kernel that ships. */
export function registerResizeNearestNeighbor(): void {
  const shipped = registerWasmKernel(tf.ResizeNearestNeighbor, (args) => {
    const { inputs, attrs, backend } = args
    const images = input(inputs, 'images')
    const [count, height, width, channels] = shape4.parse(images.shape)
    const { size, ...flags } = forwardAttrs.parse(attrs)
    if (images.dtype !== 'float32' || !isDoubling([height, width], size, flags)) return callShipped(shipped, args)
    const out = backend.makeOutput([count, ...size, channels], 'float32')
    const [from, to] = [address(backend, images), address(backend, out)]
    parallel(backend).run('upsample2', count * height, from, to, width, channels)
    return out
  })
}

type Flags = z.infer<typeof attrsSchema>

function isDoubling(
  [height, width]: readonly [number, number],
  [outHeight, outWidth]: readonly [number, number],
  { alignCorners, halfPixelCenters }: Flags,
): boolean {
  return outHeight === 2 * height && outWidth === 2 * width && !alignCorners && halfPixelCenters !== true
}

/**
 * Gradient of nearest-neighbour resizing: each output's gradient is added to the pixel that it was copied from.
 * dy [n, oh, ow, c], images [n, h, w, c] -> [n, h, w, c]. Any sizes. For `wasm` because it is much faster than the kernel
 * that ships; for `js` because the one that ships with tfjs-backend-cpu 4.22 reads the wrong rows of every
 * image but the first of a batch.
 */
export function registerResizeNearestNeighborGrad(): void {
  registerWasmKernel(tf.ResizeNearestNeighborGrad, ({ inputs, attrs, backend }) => {
    const images = input(inputs, 'images')
    const dy = input(inputs, 'dy')
    const out = backend.makeOutput(images.shape, 'float32')
    const [count, height, width, channels] = shape4.parse(images.shape)
    const [, outHeight, outWidth] = shape4.parse(dy.shape)
    if (isDoubling([height, width], [outHeight, outWidth], attrsSchema.parse(attrs)) && channels >= 4) {
      const at = (tensor: tf.TensorInfo) => address(backend, tensor)
      parallel(backend).run('upsample2Gradient', count * height, at(dy), at(out), width, channels)
    } else addToSources(images.shape, dy.shape, attrs, floats(backend, dy), floats(backend, out).fill(0))
    return out
  })
}

export function registerResizeNearestNeighborGradForJs(): void {
  replaceKernel(tf.ResizeNearestNeighborGrad, 'cpu', ({ inputs, attrs, backend }) => {
    if (!(backend instanceof MathBackendCPU)) throw new Error('This kernel is for the js backend.')
    const images = input(inputs, 'images')
    const dy = input(inputs, 'dy')
    const gradient = backend.readSync(dy.dataId)
    if (!(gradient instanceof Float32Array)) throw new Error('A float32 gradient was expected.')
    const result = new Float32Array(tf.util.sizeFromShape(images.shape))
    addToSources(images.shape, dy.shape, attrs, gradient, result)
    return backend.makeTensorInfo(images.shape, 'float32', result)
  })
}

function addToSources(
  shape: readonly number[],
  outShape: readonly number[],
  attrs: unknown,
  gradient: Float32Array,
  result: Float32Array,
): void {
  const { alignCorners, halfPixelCenters } = attrsSchema.parse(attrs)
  const [count, height, width, channels] = shape4.parse(shape)
  const [, outHeight, outWidth] = shape4.parse(outShape)
  const rows = sources(height, outHeight, alignCorners, halfPixelCenters === true)
  const columns = sources(width, outWidth, alignCorners, halfPixelCenters === true)
  let from = 0
  for (let n = 0; n < count; n++) {
    for (const row of rows) {
      const rowStart = (n * height + row) * width
      for (const column of columns) {
        const to = (rowStart + column) * channels
        for (let c = 0; c < channels; c++) result[to + c] = (result[to + c] ?? 0) + (gradient[from + c] ?? 0)
        from += channels
      }
    }
  }
}

/** For each output index the input index that the forward kernel reads. */
function sources(size: number, outSize: number, alignCorners: boolean, halfPixelCenters: boolean): Int32Array {
  const aligned = alignCorners && outSize > 1
  const ratio = (aligned ? size - 1 : size) / (aligned ? outSize - 1 : outSize)
  return Int32Array.from({ length: outSize }, (_, i) => {
    const position = ratio * (halfPixelCenters ? i + 0.5 : i)
    return Math.max(0, Math.min(size - 1, alignCorners ? Math.round(position) : Math.floor(position)))
  })
}
