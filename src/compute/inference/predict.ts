import * as tf from '@tensorflow/tfjs-core'
import { CodedError } from '../../core/contract/errors.ts'
import { normalizedSlice } from '../data/intensity.ts'
import { copyMirrored } from '../data/padding.ts'
import { forwardOf } from '../models/forward.ts'
import { readFloats } from '../runtime/tensors.ts'
import { planTiles } from './tiles.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { ComputeSlice } from '../../core/contract/compute.ts'
import type { LoadedModel } from '../models/files.ts'
import type { Tile } from './tiles.ts'

/** Pixels that go through the network at once; about 100 MB of activations for the networks built here. */
const BATCH_PIXELS = 4 * 160 * 160

export interface GreyImage {
  readonly width: number
  readonly height: number
  /** height x width values in [0, 1], x fastest. */
  readonly image: Float32Array
}

export interface PredictOptions {
  readonly signal?: AbortSignal
  /** Told after each batch, with the share of the work that is done. */
  readonly onProgress?: (done: number) => void
}

interface Part {
  readonly slice: number
  readonly tile: Tile
}

/** Receives the logits of one tile: pixels of `tile.input` x classes. The array is only valid during the call. */
export type TileSink = (slice: number, tile: Tile, logits: Float32Array, classes: number) => void

/**
 * Runs the network over images of any size, batching tiles of one size, and hands each tile's logits to `sink` in the
 * order of the images. `image(i)` gives the i-th image when it is needed. Lets the event loop turn between batches.
 * Throws CodedError('cancelled') when the signal is aborted, at the latest after the batch that runs.
 */
export async function runNetwork(
  network: LayersModel,
  step: number,
  sizes: readonly { readonly width: number; readonly height: number }[],
  image: (index: number) => Float32Array,
  sink: TileSink,
  { signal, onProgress }: PredictOptions = {},
): Promise<void> {
  const parts = sizes.flatMap(({ width, height }, slice) =>
    planTiles(width, height, step).map((tile): Part => ({ slice, tile })),
  )
  let held: { index: number; values: Float32Array } | null = null
  const values = (index: number): Float32Array => {
    if (held?.index !== index) held = { index, values: image(index) }
    return held.values
  }
  for (let start = 0; start < parts.length;) {
    const batch = nextBatch(parts, start)
    stopIfCancelled(signal)
    const first = batch[0]
    if (first === undefined) break
    const { width, height } = first.tile.input
    const pixels = width * height
    const input = new Float32Array(batch.length * pixels)
    batch.forEach(({ slice, tile }, i) => {
      const size = sizes[slice]
      if (size !== undefined) copyMirrored(values(slice), size.width, size.height, tile.input, input, i * pixels)
    })
    const { logits, classes } = await forward(network, input, [batch.length, height, width, 1])
    batch.forEach(({ slice, tile }, i) => {
      sink(slice, tile, logits.subarray(i * pixels * classes, (i + 1) * pixels * classes), classes)
    })
    start += batch.length
    onProgress?.(start / parts.length)
    await nextTurn()
  }
  stopIfCancelled(signal)
}

/** Consecutive tiles of one size that fit the memory bound together; at least one. */
function nextBatch(parts: readonly Part[], start: number): readonly Part[] {
  const first = parts[start]
  if (first === undefined) return []
  const { width, height } = first.tile.input
  const most = Math.max(1, Math.floor(BATCH_PIXELS / (width * height)))
  let end = start + 1
  while (end < parts.length && end - start < most) {
    const next = parts[end]?.tile.input
    if (next?.width !== width || next.height !== height) break
    end++
  }
  return parts.slice(start, end)
}

async function forward(
  network: LayersModel,
  input: Float32Array,
  shape: [number, number, number, number],
): Promise<{ logits: Float32Array; classes: number }> {
  const output = tf.tidy(() => forwardOf(network)(tf.tensor4d(input, shape), false))
  try {
    return { logits: await readFloats(output), classes: output.shape[3] ?? 0 }
  } finally {
    output.dispose()
  }
}

export interface PredictedSlice {
  readonly index: number
  /** height x width label values, x fastest. */
  readonly labels: Uint8Array<ArrayBuffer>
}

/**
 * Predicts slices: for each, in the order given, one label value a pixel (height x width, x fastest).
 * Ties go to the lower channel, background first.
 */
export async function predictSlices(
  { network, card }: LoadedModel,
  slices: readonly ComputeSlice[],
  options: PredictOptions = {},
): Promise<PredictedSlice[]> {
  const results = slices.map(({ index, width, height }) => ({ index, labels: new Uint8Array(width * height) }))
  const values = Uint8Array.from([0, ...card.labels.map(({ value }) => value)])
  const image = (i: number): Float32Array => {
    const slice = slices[i]
    if (slice === undefined) throw new Error('There is no such slice.')
    return normalizedSlice(slice)
  }
  const sink: TileSink = (slice, { input, keep }, logits, classes) => {
    const labels = results[slice]?.labels
    const width = slices[slice]?.width ?? 0
    if (labels === undefined) return
    for (let y = keep.top; y < keep.top + keep.height; y++) {
      for (let x = keep.left; x < keep.left + keep.width; x++) {
        const at = ((y - input.top) * input.width + (x - input.left)) * classes
        labels[y * width + x] = values[argmax(logits, at, classes)] ?? 0
      }
    }
  }
  await runNetwork(network, card.architecture.step, slices, image, sink, options)
  return results
}

export function argmax(values: Float32Array, at: number, count: number): number {
  let best = 0
  let top = values[at] ?? 0
  for (let c = 1; c < count; c++) {
    const value = values[at + c] ?? 0
    if (value > top) {
      top = value
      best = c
    }
  }
  return best
}

export function stopIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new CodedError('cancelled', 'Cancelled.')
}

/** Lets messages in: a cancel or a ping is answered before the next batch or step. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
