import type { VoxelArray } from '../types.ts'
import { sampleBytes, viewAs } from './arrays.ts'
import type { Arrival } from './arrival.ts'
import { endedEarly, rawBytesOf, voxelBytes, voxelCount, type VoxelLayout } from './layout.ts'

/** Takes decoded voxels, in file order. */
export interface Sink {
  /** Memory for voxels that are converted, which `put` is then given. */
  room(bytes: number): Uint8Array<ArrayBuffer>
  /** Bytes of decoded voxels and the position of their first. They are used up when the promise resolves. */
  put(bytes: Uint8Array, at: number): Promise<void> | void
}

/** Voxels converted at once: some hundred KiB, which stay in the processor's cache. */
const STEP = 2 ** 15

/**
 * Carries voxels from a source to where they are held, as fast as they come, and tells `arrival`. The source is asked for its end
 * even when every voxel is there, since it may have a checksum to test; what more it gives is dropped.
 * Throws what the source and the sink throw, and CodedError('bad-file') where the source ends too early.
 */
export async function pump(
  layout: VoxelLayout,
  source: AsyncIterable<Uint8Array>,
  sink: Sink,
  arrival: Arrival,
  signal: AbortSignal,
): Promise<void> {
  const taker = layout.convert === undefined ? copier(layout, sink) : converter(layout, layout.convert, sink)
  const wanted = voxelCount(layout)
  let count = 0
  for await (const chunk of source) {
    signal.throwIfAborted()
    if (count === wanted) continue
    count = await taker(chunk)
    arrival.reach(count)
    // Before the source is asked for more: one that waits for what is to come does not notice what was.
    signal.throwIfAborted()
  }
  if (count < wanted) throw endedEarly(layout)
}

/** Takes a chunk and says how many voxels there are now. */
type Taker = (chunk: Uint8Array) => Promise<number>

function copier(layout: VoxelLayout, sink: Sink): Taker {
  const perVoxel = voxelBytes(layout)
  const total = voxelCount(layout) * perVoxel
  let at = 0
  return async (chunk) => {
    const part = chunk.length > total - at ? chunk.subarray(0, total - at) : chunk
    await sink.put(part, at)
    at += part.length
    return Math.floor(at / perVoxel)
  }
}

function converter(layout: VoxelLayout, convert: NonNullable<VoxelLayout['convert']>, sink: Sink): Taker {
  const [raw, perVoxel, total] = [rawBytesOf(layout), voxelBytes(layout), voxelCount(layout)]
  const staging = new Uint8Array(STEP * raw)
  let staged = 0
  let count = 0
  return async (chunk) => {
    let from = 0
    while (from < chunk.length && count < total) {
      const taken = Math.min(chunk.length - from, staging.length - staged)
      staging.set(chunk.subarray(from, from + taken), staged)
      from += taken
      staged += taken
      const whole = Math.min(Math.floor(staged / raw), total - count)
      const room = sink.room(whole * perVoxel)
      convert(staging.subarray(0, whole * raw), room)
      await sink.put(room, count * perVoxel)
      staging.copyWithin(0, whole * raw, staged)
      staged -= whole * raw
      count += whole
    }
    return count
  }
}

/**
 * The voxels of a source one piece after the other, held nowhere: for looking at them once. A piece is good until the next one is asked for.
 * Throws what the source throws, and CodedError('bad-file') where it ends too early.
 */
export async function* passing(layout: VoxelLayout, source: AsyncIterable<Uint8Array>): AsyncGenerator<VoxelArray> {
  const size = sampleBytes(layout.voxelType)
  const staging = new Uint8Array(STEP * voxelBytes(layout))
  let pieces: VoxelArray[] = []
  const sink: Sink = {
    room: (bytes) => staging.subarray(0, bytes),
    put: (bytes) => {
      pieces.push(viewAs(layout.voxelType, bytes.slice().buffer, 0, bytes.length / size))
    },
  }
  // As if they were converted, so that pieces end with a voxel.
  const taker = converter(layout, layout.convert ?? ((raw, out) => out.set(raw)), sink)
  let count = 0
  for await (const chunk of source) {
    count = await taker(chunk)
    yield* pieces
    pieces = []
  }
  if (count < voxelCount(layout)) throw endedEarly(layout)
}

/** Reverses the bytes of each sample: for files of the other byte order than the computer's, which is little-endian. */
export function swapped({ voxelType }: Pick<VoxelLayout, 'voxelType'>): NonNullable<VoxelLayout['convert']> {
  const size = sampleBytes(voxelType)
  return (raw, out) => {
    out.set(raw)
    const buffer = Buffer.from(out.buffer, out.byteOffset, out.byteLength)
    if (size === 2) buffer.swap16()
    else if (size === 4) buffer.swap32()
    else if (size === 8) buffer.swap64()
  }
}
