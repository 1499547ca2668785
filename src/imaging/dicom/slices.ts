import type { VoxelType } from '../../core/contract/schemas.ts'
import { greyIfColourless } from '../colour.ts'
import type { VoxelArray } from '../types.ts'
import { bytesOf, sampleBytes, viewAs } from '../voxels/index.ts'
import { DECODERS } from './codec/pool.ts'
import { FrameReader } from './frameReader.ts'
import { valuesOf, type RawFrame } from './samples.ts'
import type { Slice } from './stacks.ts'

/** How values are held. */
export interface HeldValues {
  readonly voxelType: VoxelType
  /** With the scaling of their slice applied. */
  readonly scaled: boolean
}

/** The voxels of one slice after the other. A few slices are decoded ahead, in threads; no more are in memory. */
export async function* sliceBytes(
  slices: readonly Slice[],
  held: HeldValues,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const reader = new FrameReader()
  const ahead: { slice: Slice; frame: Promise<RawFrame> }[] = []
  let next = 0
  try {
    while (next < slices.length || ahead.length > 0) {
      signal.throwIfAborted()
      const slice = slices[next]
      if (slice !== undefined && ahead.length < DECODERS) {
        next++
        const frame = (await reader.read(slice.file, slice.frame))()
        // It is waited for below, in its turn.
        frame.catch(() => undefined)
        ahead.push({ slice, frame })
        continue
      }
      const first = ahead.shift()
      if (first !== undefined) yield bytesOf(voxelsOf(first.slice, await first.frame, held))
    }
  } finally {
    await reader.close()
  }
}

function voxelsOf({ file, header }: Slice, raw: RawFrame, { voxelType, scaled }: HeldValues): VoxelArray {
  const values = valuesOf(file, raw)
  if (!scaled) return values
  const out = viewAs(voxelType, new ArrayBuffer(values.length * sampleBytes(voxelType)))
  for (let i = 0; i < values.length; i++) out[i] = (values[i] ?? 0) * header.slope + header.inter
  return out
}

/** A slice in colour as grey, where it has none in truth; otherwise null. Throws as the voxels would. */
export async function greySlice({ file, frame }: Slice, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer> | null> {
  const reader = new FrameReader()
  try {
    signal?.throwIfAborted()
    const unpack = await reader.read(file, frame)
    const values = valuesOf(file, await unpack())
    return values instanceof Uint8Array ? greyIfColourless(values) : null
  } finally {
    await reader.close()
  }
}
