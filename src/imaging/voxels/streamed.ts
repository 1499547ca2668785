import { open } from 'node:fs/promises'
import { readError } from '../files.ts'
import { viewAs } from './arrays.ts'
import { Arrival } from './arrival.ts'
import { FileStore } from './fileStore.ts'
import { allocate, cancelled, rawBytesOf, voxelBytes, voxelCount, voxelMemory, type VoxelLayout } from './layout.ts'
import { MemoryStore } from './memoryStore.ts'
import { plainBytes } from './plainBytes.ts'
import { pump, type Sink } from './pump.ts'
import { openScratch, scratchError, type Scratch } from './scratch.ts'
import type { VoxelStore } from './store.ts'

export interface StreamedVoxels extends VoxelLayout {
  /**
   * The voxels as they are in the file, in its order from the first, in chunks of any size, which need not end with a voxel and are
   * not kept. Called once; stops when the signal is aborted. What it throws is thrown to those who wait for voxels: a CodedError as
   * it is, anything else in the words of `readError`. It is asked for its end after the last voxel (a checksum, for instance).
   */
  source(signal: AbortSignal): AsyncIterable<Uint8Array>
}

/**
 * Voxels that come one after the other: unpacked, or decoded slice by slice. Resolves at once; they arrive in memory, or, where
 * `voxelMemory` is exceeded, in a scratch file. Throws CodedError('disk-full') where there is no room for that.
 */
export async function streamedStore(voxels: StreamedVoxels): Promise<VoxelStore> {
  const bytes = voxelCount(voxels) * voxelBytes(voxels)
  if (bytes <= voxelMemory()) return inMemory(voxels, bytes)
  const { path } = voxels
  const scratch = await openScratch(bytes, path)
  const sink: Sink = {
    room: converted(),
    put: async (chunk, at) => {
      for (const { start, end } of stretchesWithContent(chunk))
        await writeAll(scratch, chunk.subarray(start, end), at + start, path)
    },
  }
  const { arrival, stop } = start(voxels, sink)
  const held: VoxelLayout = { ...voxels, rawVoxelBytes: undefined, convert: undefined }
  return new FileStore(held, {
    handle: scratch.handle,
    offset: 0,
    arrival,
    close: async () => {
      await stop()
      await scratch.close()
    },
  })
}

async function writeAll({ handle }: Scratch, bytes: Uint8Array, at: number, path: string): Promise<void> {
  let done = 0
  while (done < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, at + done).catch((error: unknown) => {
      throw scratchError(error, path)
    })
    done += bytesWritten
  }
}

const ZEROS = new Uint8Array(2 ** 16)

/**
 * The parts of a chunk that are not zero as memory and files are from the start: the background of many images, and what small
 * files claim to hold, then takes no room.
 */
function* stretchesWithContent(chunk: Uint8Array): Generator<{ start: number; end: number }> {
  let start = 0
  for (let at = 0; at < chunk.length; at += ZEROS.length) {
    const end = Math.min(at + ZEROS.length, chunk.length)
    if (Buffer.compare(chunk.subarray(at, end), ZEROS.subarray(0, end - at)) !== 0) continue
    if (at > start) yield { start, end: at }
    start = end
  }
  if (chunk.length > start) yield { start, end: chunk.length }
}

/** Memory for voxels on their way from the file's form to the one that is held. */
function converted(): Sink['room'] {
  let staging = new Uint8Array(0)
  return (bytes) => {
    if (bytes > staging.length) staging = new Uint8Array(bytes)
    return staging.subarray(0, bytes)
  }
}

function inMemory(voxels: StreamedVoxels, bytes: number): VoxelStore {
  const buffer = allocate(bytes, voxels.path)
  const target = new Uint8Array(buffer)
  const sink: Sink = {
    room: converted(),
    put: (chunk, at) => {
      for (const { start, end } of stretchesWithContent(chunk)) target.set(chunk.subarray(start, end), at + start)
    },
  }
  return new MemoryStore(viewAs(voxels.voxelType, buffer), voxels.dims, voxels.channels, start(voxels, sink))
}

function start(voxels: StreamedVoxels, sink: Sink): { arrival: Arrival; stop: () => Promise<void> } {
  const { path } = voxels
  const controller = new AbortController()
  const arrival = new Arrival(() => cancelled(path))
  const running = pump(voxels, voxels.source(controller.signal), sink, arrival, controller.signal).then(
    () => arrival.finish(),
    (error: unknown) => arrival.fail(controller.signal.aborted ? cancelled(path) : readError(error, path)),
  )
  return {
    arrival,
    stop: async () => {
      controller.abort()
      // Those who wait are told at once, not when a source that is slow to stop has stopped.
      arrival.fail(cancelled(path))
      await running
    },
  }
}

export interface PlainVoxels extends VoxelLayout {
  /** Where in the file the first voxel begins, in bytes. The file is known to be long enough. */
  readonly offset: number
}

/**
 * Voxels that lie unpacked in a file, one after the other: read into memory, or, where `voxelMemory` is exceeded, left where
 * they are and read when they are wanted. Throws as `readError`.
 */
export async function plainStore(voxels: PlainVoxels): Promise<VoxelStore> {
  const { path, offset } = voxels
  if (voxelCount(voxels) * voxelBytes(voxels) <= voxelMemory()) {
    return streamedStore({
      ...voxels,
      source: (signal) => plainBytes(path, offset, voxelCount(voxels) * rawBytesOf(voxels), signal),
    })
  }
  const handle = await open(path, 'r').catch((error: unknown) => {
    throw readError(error, path)
  })
  return new FileStore(voxels, { handle, offset, arrival: null, close: () => handle.close() })
}
