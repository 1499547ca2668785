import { address, floats, integers } from './heap.ts'
import { OUT_BLOCK, TAP_BYTES, TILE_WIDTHS } from './simd/convolution.ts'
import { parallel } from './threads/index.ts'
import { convolveByWinograd, isForWinograd } from './winogradConvolution.ts'
import type * as tf from '@tensorflow/tfjs-core'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'

const FLOAT = 4

/** A tap of a filter: the pixel that it reads relative to an output's first, and its place in the filter's memory. */
export interface Tap {
  readonly row: number
  readonly column: number
  readonly place: number
}

/** Where a filter's numbers lie: byte address, and bytes from one tap, input channel and output channel to the next. */
export interface FilterLayout {
  readonly at: number
  readonly tapBytes: number
  readonly channelBytes: number
  readonly outBytes: number
}

/** Every so many rows and columns of the input from output to output, and every so many bytes in the output. */
export interface TapConvolution {
  /** Byte address of [n, h, w, c]. */
  readonly x: number
  readonly shape: readonly [number, number, number, number]
  readonly taps: readonly Tap[]
  readonly filter: FilterLayout
  /** A number an output channel, or null for zeros. */
  readonly bias: tf.TensorInfo | null
  /** Results below are raised to it: 0 for ReLU, -Infinity for none. */
  readonly floor: number
  readonly rowStep: number
  readonly columnStep: number
  readonly output: {
    /** Byte address of the first pixel. */
    readonly at: number
    readonly height: number
    readonly width: number
    readonly channels: number
    readonly imageBytes: number
    readonly rowBytes: number
    readonly pixelBytes: number
  }
}

/** From how many bytes a filter is read once for all rows instead of for each: what stays in the nearest caches. */
const LARGE_FILTER = 128 * 1024

/** Convolution over a list of taps (simd/convolution.ts), on all threads. */
export function convolveTaps(backend: BackendWasm, convolution: TapConvolution): void {
  const { x, shape, taps, filter, floor, rowStep, columnStep, output } = convolution
  const [count, height, width, channels] = shape
  const blocks = Math.ceil(output.channels / OUT_BLOCK)
  const rows = count * output.height
  if (rows === 0 || output.width === 0) return
  // One piece of memory for what the call needs: the packed filter, the bias, zeros for a pixel, the table of taps.
  const packedBytes = blocks * OUT_BLOCK * taps.length * channels * FLOAT
  const biasBytes = blocks * OUT_BLOCK * FLOAT
  const scratch = backend.makeOutput(
    [(packedBytes + biasBytes + channels * FLOAT + taps.length * TAP_BYTES) / FLOAT],
    'float32',
  )
  try {
    const packed = address(backend, scratch)
    const bias = packed + packedBytes
    const zeros = bias + biasBytes
    const table = zeros + channels * FLOAT
    const added = floats(backend, scratch)
      .subarray(packedBytes / FLOAT)
      .fill(0)
    if (convolution.bias !== null) added.set(floats(backend, convolution.bias))
    const entries = integers(backend, scratch).subarray((table - packed) / FLOAT)
    taps.forEach(({ row, column, place }, index) => {
      entries.set([row, column, place], 3 * index)
    })
    const { run } = parallel(backend)
    const { at, tapBytes, channelBytes, outBytes } = filter
    run(
      'packFilter',
      ...[blocks, at, table, taps.length, channels, output.channels, tapBytes, channelBytes, outBytes, packed],
    )
    if (isForWinograd(convolution)) {
      convolveByWinograd(backend, convolution, packed, bias)
      return
    }
    const blockMajor = Number(blocks > 1 && packedBytes > LARGE_FILTER)
    run(
      'convolve',
      ...[rows * blocks, x, table, taps.length, packed, bias, output.at, zeros, floor],
      ...[height, width, channels, output.channels, rows, blocks, blockMajor, output.height, rowStep, columnStep],
      ...[output.imageBytes, output.rowBytes, output.pixelBytes, ...tilesOf(output.width)],
    )
  } finally {
    backend.disposeData(scratch.dataId)
  }
}

/** How many tiles of six, four and one pixels make a row: as few single ones as can be, then as many of six. */
function tilesOf(width: number): [sixes: number, fours: number, ones: number] {
  const [six, four] = TILE_WIDTHS
  const over = width % six
  // Two or three left over are better six more, as two fours.
  const sixes = Math.floor(width / six) - (width > six && (over === 2 || over === 3) ? 1 : 0)
  const left = width - sixes * six
  const fours = Math.floor(left / four)
  return [sixes, fours, left - fours * four]
}
