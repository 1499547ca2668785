import { open, type FileHandle } from 'node:fs/promises'
import { badFile, fill, fileSize, readError } from '../files.ts'
import { jpeg2000Header, jpegHeader, type CodestreamHeader } from './codestream.ts'
import { decodeFrame } from './codec/pool.ts'
import { frameFragments, readFragments } from './fragments.ts'
import { cutOff, plainEnd, plainFrameBytes, type DicomFile } from './header.ts'
import { inflatedStart } from './inflate.ts'
import { decodeRle } from './rle.ts'
import type { RawFrame } from './samples.ts'

/** A frame's bytes as they are in the file, ready to be decoded without it. */
export type PackedFrame = () => Promise<RawFrame>

type Fragments = Awaited<ReturnType<typeof frameFragments>>

interface OpenFile {
  readonly file: DicomFile
  readonly handle: FileHandle
  readonly inflated: Uint8Array | null
  readonly fragments: Fragments
}

/** Reads frames of the files of a stack one after the other; holds one file open. */
export class FrameReader {
  #open: OpenFile | null = null

  /** The bytes of a frame. What decodes them can run while the next ones are read. */
  async read(file: DicomFile, frame: number): Promise<PackedFrame> {
    const opened = this.#open?.file === file ? this.#open : await this.#change(file)
    const { packing } = file.pixels
    if (packing === 'plain') {
      const raw = await readPlain(opened, frame)
      return () => Promise.resolve(raw)
    }
    const fragments = opened.fragments[frame]
    if (fragments === undefined) throw cutOff(file.path)
    const data = await readFragments(opened.handle, fragments)
    return () => unpack(file, data)
  }

  async close(): Promise<void> {
    const handle = this.#open?.handle
    this.#open = null
    await handle?.close()
  }

  async #change(file: DicomFile): Promise<OpenFile> {
    await this.close()
    const { path, deflatedFrom, pixels, frames } = file
    const size = await fileSize(path)
    const handle = await open(path, 'r').catch((error: unknown) => {
      throw readError(error, path)
    })
    try {
      const opened = {
        file,
        handle,
        inflated:
          deflatedFrom === null ? null : await inflatedStart(path, deflatedFrom, plainEnd(pixels, frames.length)),
        fragments: pixels.packing === 'plain' ? [] : await frameFragments(file, handle, size),
      }
      this.#open = opened
      return opened
    } catch (error) {
      await handle.close()
      throw error
    }
  }
}

async function readPlain({ file, handle, inflated }: OpenFile, frame: number): Promise<RawFrame> {
  const { pixels, path } = file
  const { rows, columns, bitsAllocated, offset, planar } = pixels
  // Frames of single bits follow each other without filling up to whole bytes.
  const firstBit = bitsAllocated === 1 ? frame * rows * columns : 0
  const at = offset + (bitsAllocated === 1 ? Math.floor(firstBit / 8) : frame * plainFrameBytes(pixels))
  const count = bitsAllocated === 1 ? Math.ceil(((firstBit % 8) + rows * columns) / 8) : plainFrameBytes(pixels)
  // An odd number of bytes in exchanged words ends with one that belongs to the next.
  const [from, length] = pixels.swappedBytes ? [at - (at % 2), count + 1 + (at % 2)] : [at, count]
  const bytes = new Uint8Array(length + (length % 2))
  const read = inflated === null ? await fill(handle, bytes.subarray(0, length), from) : take(inflated, from, bytes)
  if (read < at - from + count) throw cutOff(path)
  if (pixels.swappedBytes) Buffer.from(bytes.buffer).swap16()
  const own = bytes.subarray(at - from, at - from + count)
  if (pixels.bigEndian && bitsAllocated > 8) swapSamples(own, bitsAllocated)
  const halved = pixels.photometric === 'YBR_FULL_422'
  return { bytes: own, sampleBits: bitsAllocated, firstBit: firstBit % 8, planar, rgb: false, halved }
}

function take(from: Uint8Array, at: number, into: Uint8Array): number {
  const part = from.subarray(at, at + into.length)
  into.set(part)
  return part.length
}

function swapSamples(bytes: Uint8Array, bits: number): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bits === 16) buffer.swap16()
  else if (bits === 32) buffer.swap32()
  else buffer.swap64()
}

async function unpack(file: DicomFile, data: Uint8Array<ArrayBuffer>): Promise<RawFrame> {
  const { path, pixels } = file
  const { packing, rows, columns, samples, bitsAllocated, photometric } = pixels
  const broken = (cause?: unknown): Error => {
    return badFile(path, 'holds compressed pixels that are damaged; copy or download it again.', cause)
  }
  const common = { firstBit: 0, halved: false }
  if (packing === 'rle') {
    const bytes = decodeRle(data, rows * columns, samples, bitsAllocated / 8)
    if (bytes === null) throw broken()
    return { ...common, bytes, sampleBits: bitsAllocated, planar: false, rgb: false }
  }
  const header = packing === 'jpeg-2000' ? jpeg2000Header(data) : jpegHeader(data)
  if (header === null || !fits(header, file) || claimsTooMuch(header, data)) throw broken()
  const codec = packing === 'jpeg' || packing === 'jpeg-ls' || packing === 'jpeg-2000' ? packing : 'jpeg'
  const isYbr = photometric.startsWith('YBR')
  const toRgb = packing === 'jpeg' && samples === 3 && isYbr
  const answer = await decodeFrame({ codec, data, columns, rows, samples, bits: header.bits, toRgb })
  if ('failed' in answer) throw broken(new Error(answer.failed))
  const bytes = answer.data
  if (bytes.length !== rows * columns * samples * (header.bits > 8 ? 2 : 1)) throw broken()
  const planar = packing === 'jpeg-ls' && header.planar
  return {
    ...common,
    bytes,
    sampleBits: header.bits > 8 ? 16 : 8,
    codedBits: header.bits,
    planar,
    rgb: toRgb || header.transformed || photometric === 'YBR',
  }
}

/** Of large frames the decoder takes hundreds of MB at once: not for data that no picture of the size could fit into. */
function claimsTooMuch({ columns, rows }: CodestreamHeader, data: Uint8Array): boolean {
  return columns * rows > 2 ** 22 && columns * rows > 2000 * data.length
}

function fits(header: CodestreamHeader, { pixels }: DicomFile): boolean {
  const { rows, columns, samples, bitsAllocated } = pixels
  const same = header.rows === rows && header.columns === columns && header.samples === samples
  return same && header.bits >= 1 && header.bits <= (samples === 3 ? 8 : bitsAllocated)
}
