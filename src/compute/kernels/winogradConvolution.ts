import { address } from './heap.ts'
import { OUT_BLOCK } from './simd/convolution.ts'
import { MOST_TILES, winogradScratch } from './simd/winograd.ts'
import { parallel } from './threads/index.ts'
import { GRADIENT_TILES, winogradGradientScratch } from './simd/winogradGradient.ts'
import type * as tf from '@tensorflow/tfjs-core'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import type { TapConvolution } from './tapConvolution.ts'

const FLOAT = 4
const PLACES = 16
const TAPS = 9
/** Below, transforming takes longer than what it saves. */
const LEAST_CHANNELS = 8
/** So many units for each of several threads that these share them evenly; nothing of the results depends on it. */
const UNITS_PER_THREAD = 12

/** Whether a convolution is one by 3 x 3 neighbouring taps, listed row by row, at stride 1, with channels as we need them. */
export function isForWinograd({ shape, taps, rowStep, columnStep, output }: TapConvolution): boolean {
  const [first] = taps
  const channels = shape[3]
  return (
    first !== undefined &&
    taps.length === TAPS &&
    taps.every(({ row, column }, i) => row === first.row + Math.floor(i / 3) && column === first.column + (i % 3)) &&
    rowStep === 1 &&
    columnStep === 1 &&
    channels >= LEAST_CHANNELS &&
    channels % 4 === 0 &&
    output.channels % OUT_BLOCK === 0
  )
}

/**
 * The convolution of simd/winograd.ts on all threads; `packed` and `bias` are the addresses of what packFilter made of the
 * filter and of a number an output channel.
 */
export function convolveByWinograd(
  backend: BackendWasm,
  convolution: TapConvolution,
  packed: number,
  bias: number,
): void {
  const { x, shape, taps, floor, output } = convolution
  const [count, height, width, channels] = shape
  const { run, places } = parallel(backend)
  const units = places === 1 ? 1 : UNITS_PER_THREAD * places
  const blocks = output.channels / OUT_BLOCK
  const [tileRows, tileColumns] = [Math.ceil(output.height / 2), Math.ceil(output.width / 2)]
  const tiles = count * tileRows * tileColumns
  const groupTiles = tiles >= units * MOST_TILES ? MOST_TILES : MOST_TILES / 2
  const groups = Math.ceil(tiles / groupTiles)
  const blockGroups = Math.min(blocks, Math.ceil(units / groups))
  const filterFloats = PLACES * channels * output.channels
  const scratchBytes = winogradScratch(groupTiles, channels)
  const scratch = backend.makeOutput([filterFloats + (places * scratchBytes) / FLOAT], 'float32')
  try {
    const filter = address(backend, scratch)
    run('winogradFilter', blocks, packed, filter, channels)
    run(
      'winograd',
      ...[groups * blockGroups, x, filter, bias, output.at, filter + filterFloats * FLOAT, scratchBytes, floor],
      ...[height, width, channels, output.height, output.width, taps[0]?.row ?? 0, taps[0]?.column ?? 0],
      ...[tileRows, tileColumns, tiles, groupTiles, blocks, blockGroups],
      ...[output.imageBytes, output.rowBytes, output.pixelBytes],
    )
  } finally {
    backend.disposeData(scratch.dataId)
  }
}

/** Slots of sums are as many as this many bytes hold, so that threads have something to share; no more than LEAST_UNITS. */
const SLOT_BYTES = 1024 * 1024
const LEAST_UNITS = 16
/** With fewer tiles, the sums take longer to write and add up than the products to compute. */
const LEAST_TILES = 256

/** Whether a filter gradient is that of such a convolution, over so many tiles that it is worth it. */
export function isGradientForWinograd(info: tf.backend_util.Conv2DInfo): boolean {
  const { filterHeight, filterWidth, strideHeight, strideWidth, dilationHeight, dilationWidth } = info
  return (
    filterHeight === 3 &&
    filterWidth === 3 &&
    [strideHeight, strideWidth, dilationHeight, dilationWidth].every((step) => step === 1) &&
    [info.inChannels, info.outChannels].every((count) => count >= LEAST_CHANNELS && count % 4 === 0) &&
    tileCount(info) >= LEAST_TILES
  )
}

/** The filter gradient of simd/winogradGradient.ts on all threads, written to `out`. */
export function filterGradientByWinograd(
  backend: BackendWasm,
  info: tf.backend_util.Conv2DInfo,
  { x, dy, out }: Readonly<Record<'x' | 'dy' | 'out', tf.TensorInfo>>,
): void {
  const { inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, padInfo } = info
  const { run, places } = parallel(backend)
  const tiles = tileCount(info)
  const slotBytes = PLACES * FLOAT * inChannels * outChannels
  // The same for any number of threads, so that the sums are the same.
  const slots = Math.min(
    LEAST_UNITS,
    Math.ceil(tiles / GRADIENT_TILES),
    Math.max(1, Math.floor(SLOT_BYTES / slotBytes)),
  )
  const parts = Math.min(inChannels / 4, Math.ceil(LEAST_UNITS / slots))
  const scratchBytes = winogradGradientScratch(inChannels, outChannels)
  const scratch = backend.makeOutput([(slots * slotBytes + places * scratchBytes) / FLOAT], 'float32')
  try {
    const partial = address(backend, scratch)
    run(
      'winogradGradient',
      ...[slots * parts, address(backend, x), address(backend, dy), partial, slotBytes],
      ...[partial + slots * slotBytes, scratchBytes, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels],
      ...[-padInfo.top, -padInfo.left, Math.ceil(outHeight / 2), Math.ceil(outWidth / 2), tiles, slots, parts],
    )
    const to = address(backend, out)
    run('winogradGradientEnd', inChannels, partial, slotBytes, slots, inChannels, outChannels, to)
  } finally {
    backend.disposeData(scratch.dataId)
  }
}

function tileCount({ batchSize, outHeight, outWidth }: tf.backend_util.Conv2DInfo): number {
  return batchSize * Math.ceil(outHeight / 2) * Math.ceil(outWidth / 2)
}
