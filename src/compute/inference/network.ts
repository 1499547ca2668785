import { copyMirrored } from '../data/padding.ts'
import { backendLost, unlessOutOfMemory } from '../runtime/failures.ts'
import { planBlendedTiles } from './blendedTiles.ts'
import { planFixedTiles } from './fixedTiles.ts'
import { checkLogits } from './forwardPass.ts'
import { runnableOf } from './runnable.ts'
import { passSizes } from './sizes.ts'
import { coverWindow, frameOf, planTiles } from './tiles.ts'
import { nextTurn, stopIfCancelled } from './turns.ts'
import { coverValidWindow, planValidTiles } from './validTiles.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { Extents } from './extents.ts'
import type { ForwardPass } from './forwardPass.ts'
import type { Budget } from '../runtime/memory.ts'
import type { Runnable } from './runnable.ts'
import type { PassSizes } from './sizes.ts'
import type { Tile } from './tiles.ts'

export interface RunOptions {
  readonly signal?: AbortSignal
  /** Told as the work goes on, inside a large picture too, with the share of the pixels that is done. */
  readonly onProgress?: (done: number) => void
  /**
   * Told once each, when memory makes the batch, or the tiles, smaller than they began; and once a network, when a picture
   * does not fit in one piece and the network looks at all of what it is given.
   */
  readonly notify?: (message: string) => void
  /** What errors call the network. */
  readonly model?: string
  /** How a batch goes through a network of TensorFlow.js, where not as usual (tests). */
  readonly pass?: ForwardPass
  /**
   * Share of a tile that overlaps its neighbour where a picture takes several; absent: only as much as the network looks
   * around it, and each pixel comes once.
   */
  readonly overlap?: number
  /** What a pass may take, where not by the memory that there is (tests). */
  readonly memory?: Budget
}

/**
 * Receives the logits of one tile: pixels of `tile.input` (without what valid convolutions cut off) x classes; and features
 * of passes that tell them (Logits). The arrays are only valid during the call.
 */
export type TileSink = (
  slice: number,
  tile: Tile,
  logits: Float32Array,
  classes: number,
  features: Float32Array | null,
) => void

interface Size {
  readonly width: number
  readonly height: number
}

interface Part {
  readonly slice: number
  readonly size: Size
  readonly tile: Tile
}

/** The images, which may have to be read. */
type ImageSource = (index: number) => Float32Array | Promise<Float32Array>

const SMALLER = {
  batch: 'Memory is short: fewer slices are predicted at once, which takes longer and changes nothing else.',
  tile: 'Memory is short: large pictures are predicted in smaller pieces, which takes longer; near the edges of the pieces labels may differ a little.',
} as const

const PIECES =
  'A picture is too large for one piece; it is predicted in several, and near their edges labels may differ a little.'

/** Networks of which that was said: each part of a volume is a call of its own. */
const toldOfPieces = new WeakSet()

const TOO_LITTLE = 'There is too little memory to predict even the smallest piece'

/**
 * Runs the network over images of any size, as many at once as memory allows, the large ones in tiles, and hands each
 * tile's logits to `sink` in the order of the images, each pixel once, but where tiles overlap by `overlap`. `image(i)` gives
 * the i-th image when it is needed: channels x height x width.
 * Lets the event loop turn between batches, and between layers of a large picture.
 *
 * A pass that runs out of memory is done again with half the pictures, at last with tiles of half the size; what a
 * failed pass computed is never used. Throws CodedError: 'cancelled' when the signal is aborted, at the latest after the
 * layer or the batch of small pictures that runs; 'backend-lost' when the device is gone, or the smallest tile is too
 * much; 'compute-failed' when the network gives values that are no numbers.
 */
export async function runNetwork(
  given: LayersModel | Runnable,
  step: number,
  sizes: readonly Size[],
  image: ImageSource,
  sink: TileSink,
  { signal, onProgress, notify, model = 'of this training', pass, memory, overlap }: RunOptions = {},
): Promise<void> {
  stopIfCancelled(signal)
  const network = 'pass' in given ? given : runnableOf(given, pass)
  const extents = network.extents(step)
  const largest = sizes.reduce((most, size) => Math.max(most, paddedPixels(size, extents)), 1)
  const at = await unlessOutOfMemory(() => passSizes(network, step, largest, memory))
  if (at === null) throw backendLost(TOO_LITTLE)
  const images = keepLast(image)
  const told = new Set<string>()
  let parts = sizes.flatMap((size, slice) => partsOf(network, size, slice, at, overlap))
  const total = keptPixels(parts)
  let done = 0
  const whole = network.size === null && !Number.isFinite(network.reach.pixels)
  if (parts.length > sizes.length && whole && !toldOfPieces.has(network.key)) {
    toldOfPieces.add(network.key)
    notify?.(PIECES)
  }
  try {
    while (parts.length > 0) {
      stopIfCancelled(signal)
      const batch = nextBatch(parts, at)
      const kept = keptPixels(batch)
      const between = async (share: number) => {
        onProgress?.((done + share * kept) / total)
        await nextTurn()
        stopIfCancelled(signal)
      }
      const run = async () => network.pass(await inputOf(network, batch, images), shapeOf(network, batch), between)
      const outcome = await unlessOutOfMemory(run)
      if (outcome === null) {
        const smaller = makeSmaller(network, batch, parts, at)
        parts = smaller.parts
        if (!told.has(smaller.what)) notify?.(SMALLER[smaller.what])
        told.add(smaller.what)
        continue
      }
      const { logits, classes, features } = outcome
      const length = logits.length / batch.length
      const width = (features?.length ?? 0) / batch.length
      batch.forEach(({ slice, tile }, i) => {
        const own = logits.subarray(i * length, (i + 1) * length)
        // Here and not for all of them together: the sink then finds them in the cache.
        checkLogits(own, model)
        const described = features?.subarray(i * width, (i + 1) * width) ?? null
        sink(slice, resultOf(tile, extents.margin), own, classes, described)
      })
      parts = parts.slice(batch.length)
      done += kept
      onProgress?.(done / total)
      await nextTurn()
    }
    stopIfCancelled(signal)
  } finally {
    at.release()
  }
}

/** Of the input that all of the picture would take. */
function paddedPixels({ width, height }: Size, { margin, least, step }: Extents): number {
  const padded = (extent: number): number => 2 * margin + least + Math.max(0, Math.ceil((extent - least) / step)) * step
  return padded(width) * padded(height)
}

function keptPixels(parts: readonly Part[]): number {
  return parts.reduce((sum, { tile: { keep } }) => sum + keep.width * keep.height, 0)
}

function partsOf(network: Runnable, size: Size, slice: number, at: PassSizes, overlap: number | undefined): Part[] {
  return tilesOf(network, size, at, overlap).map((tile) => ({ slice, size, tile }))
}

function tilesOf(network: Runnable, { width, height }: Size, { bounds }: PassSizes, overlap?: number): Tile[] {
  const extents = network.extents(bounds.step)
  if (network.size !== null) return planFixedTiles(width, height, network.size, bounds.margin)
  if (extents.margin > 0) return planValidTiles(width, height, { ...extents, pixels: bounds.pixels })
  return overlap === undefined
    ? planTiles(width, height, bounds)
    : planBlendedTiles(width, height, { ...bounds, overlap })
}

/** What the network gives of a tile. */
function resultOf(tile: Tile, margin: number): Tile {
  if (margin === 0) return tile
  const { left, top, width, height } = tile.input
  const input = { left: left + margin, top: top + margin, width: width - 2 * margin, height: height - 2 * margin }
  return { ...tile, input }
}

/** Consecutive tiles of one size that fit the memory together; at least one. */
function nextBatch(parts: readonly Part[], at: PassSizes): readonly Part[] {
  const first = parts[0]?.tile.input
  if (first === undefined) return []
  const most = at.images(first.width * first.height)
  const differs = parts.findIndex(
    ({ tile: { input } }, i) => i >= most || input.width !== first.width || input.height !== first.height,
  )
  return parts.slice(0, differs < 0 ? parts.length : differs)
}

function shapeOf({ channels }: Runnable, batch: readonly Part[]): [number, number, number, number] {
  const input = batch[0]?.tile.input
  return [batch.length, input?.height ?? 0, input?.width ?? 0, channels]
}

async function inputOf(network: Runnable, batch: readonly Part[], images: ImageSource): Promise<Float32Array> {
  const [count, height, width, channels] = shapeOf(network, batch)
  const input = new Float32Array(count * height * width * channels)
  for (const [i, { slice, size, tile }] of batch.entries()) {
    const image = await images(slice)
    const pixels = size.width * size.height
    for (let c = 0; c < channels; c++) {
      const plane = channels === 1 ? image : image.subarray(c * pixels, (c + 1) * pixels)
      copyMirrored(plane, size.width, size.height, tile.input, input, (i * channels + c) * height * width)
    }
  }
  return input
}

/** Throws CodedError('backend-lost') when the batch was the smallest there is. */
function makeSmaller(
  network: Runnable,
  batch: readonly Part[],
  parts: readonly Part[],
  at: PassSizes,
): { what: 'batch' | 'tile'; parts: Part[] } {
  const [, height, width] = shapeOf(network, batch)
  const pixels = height * width
  const what = at.shrink(batch.length, pixels)
  if (what === 'batch') return { what, parts: [...parts] }
  if (network.size !== null) throw backendLost(TOO_LITTLE)
  const { bounds } = at
  const extents = network.extents(bounds.step)
  const split = parts.flatMap((part) => {
    const { size } = part
    const { input, keep } = part.tile
    if (input.width * input.height <= bounds.pixels) return [part]
    const tiles =
      extents.margin > 0
        ? coverValidWindow(keep, size, { ...extents, pixels: bounds.pixels })
        : coverWindow(keep, frameOf(size.width, size.height, bounds.step), bounds)
    return tiles.map((tile): Part => ({ ...part, tile: { ...part.tile, ...tile } }))
  })
  const first = split[0]?.tile.input
  if (first === undefined || first.width * first.height >= pixels) {
    throw backendLost(TOO_LITTLE)
  }
  return { what, parts: split }
}

/** The image used last is kept: its tiles come one after the other. */
function keepLast(image: ImageSource): ImageSource {
  let held: { index: number; values: Float32Array } | null = null
  return async (index) => {
    if (held?.index !== index) held = { index, values: await image(index) }
    return held.values
  }
}
