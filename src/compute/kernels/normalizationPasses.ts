import { address, floats } from './heap.ts'
import { parallel } from './threads/index.ts'
import type * as tf from '@tensorflow/tfjs-core'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import type { NormalizationPasses } from './normalization.ts'
import type { NormShape } from './normalizationMath.ts'

/** Floats of x in a unit of work: they stay in the processor's nearest cache while its channels are done in turn. */
const CHUNK_FLOATS = 4096
const LEAST_PIXELS = 8

/** The passes of the normalizations by the functions of simd/normalization.ts. */
export function wasmPasses(backend: BackendWasm): NormalizationPasses {
  const at = (tensor: tf.TensorInfo): number => address(backend, tensor)
  const { run } = parallel(backend)
  const write = (values: Float32Array, shape: number[]): tf.TensorInfo =>
    backend.makeOutput(shape, 'float32', undefined, values)
  /** Runs with tensors that are gone afterwards: those given and one of two sums for each unit and channel. */
  const withSums = (shape: NormShape, units: number, use: (sums: tf.TensorInfo) => void): Float32Array => {
    const sums = backend.makeOutput([units, 2, shape.channels], 'float32')
    use(sums)
    const values = floats(backend, sums).slice()
    backend.disposeData(sums.dataId)
    return values
  }
  return {
    read: (tensor) => floats(backend, tensor).slice(),
    write,
    moments(x, shape) {
      const { units, extent } = plan(shape)
      const sums = withSums(shape, units, (out) => {
        run('normalizationSums', units, ...extent, at(x), at(out), 0)
      })
      return merge(sums, floats(backend, x), shape)
    },
    apply(x, shape, coefficients, floor) {
      const { units, extent } = plan(shape)
      const y = backend.makeOutput(x.shape, 'float32')
      const rows = write(coefficients, [coefficients.length])
      run('normalizationApply', units, ...extent, at(x), at(y), at(rows), floor)
      backend.disposeData(rows.dataId)
      return y
    },
    gradientSums(x, dy, shape, coefficients, floor) {
      const { units, chunks, extent } = plan(shape)
      const rows = write(coefficients, [coefficients.length])
      const values = withSums(shape, units, (out) => {
        run('normalizationGradientSums', units, ...extent, at(x), at(dy), at(rows), at(out), floor)
      })
      backend.disposeData(rows.dataId)
      const { count, channels } = shape
      const sum = new Float64Array(count * channels)
      const product = new Float64Array(count * channels)
      for (let unit = 0; unit < units; unit++) {
        const image = Math.floor(unit / chunks) * channels
        const from = unit * 2 * channels
        for (let c = 0; c < channels; c++) {
          sum[image + c] = (sum[image + c] ?? 0) + (values[from + c] ?? 0)
          product[image + c] = (product[image + c] ?? 0) + (values[from + channels + c] ?? 0)
        }
      }
      return { sum, product }
    },
    gradientApply(x, dy, shape, coefficients, floor) {
      const { units, extent } = plan(shape)
      const dx = backend.makeOutput(x.shape, 'float32')
      const rows = write(coefficients, [coefficients.length])
      run('normalizationGradientApply', units, ...extent, at(x), at(dy), at(dx), at(rows), floor)
      backend.disposeData(rows.dataId)
      return dx
    },
  }
}

interface Plan {
  /** Chunks of an image, pixels of a chunk, and chunks of all images. */
  readonly chunks: number
  readonly chunk: number
  readonly units: number
  readonly extent: readonly [pixels: number, channels: number, chunk: number]
}

/** By the shape alone, so that the sums are the same for any number of threads. */
function plan({ count, pixels, channels }: NormShape): Plan {
  const chunk = Math.max(LEAST_PIXELS, Math.floor(CHUNK_FLOATS / channels))
  const chunks = Math.ceil(pixels / chunk)
  return { chunks, chunk, units: count * chunks, extent: [pixels, channels, chunk] }
}

/** From sums of x - s and (x - s)^2 in each chunk, s the chunk's first pixel, to the moments of each image and channel. */
function merge(sums: Float32Array, x: Float32Array, shape: NormShape): { mean: Float64Array; squares: Float64Array } {
  const { count, pixels, channels } = shape
  const { chunks, chunk, units } = plan(shape)
  const mean = new Float64Array(count * channels)
  const squares = new Float64Array(count * channels)
  for (let unit = 0; unit < units; unit++) {
    const image = Math.floor(unit / chunks)
    const before = (unit % chunks) * chunk
    const size = Math.min(chunk, pixels - before)
    const first = (image * pixels + before) * channels
    for (let c = 0; c < channels; c++) {
      const i = image * channels + c
      const sum = sums[2 * unit * channels + c] ?? 0
      const ownMean = (x[first + c] ?? 0) + sum / size
      const ownSquares = Math.max(0, (sums[(2 * unit + 1) * channels + c] ?? 0) - (sum * sum) / size)
      // Chan, Golub and LeVeque 1979.
      const distance = ownMean - (mean[i] ?? 0)
      const share = size / (before + size)
      mean[i] = (mean[i] ?? 0) + distance * share
      squares[i] = (squares[i] ?? 0) + ownSquares + distance * distance * before * share
    }
  }
  return { mean, squares }
}
