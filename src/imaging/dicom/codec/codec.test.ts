import { createRequire } from 'node:module'
import type { Context as CodecContext, NativeCodecs as Codecs } from 'dcmjs-codecs'
import { beforeAll, describe, expect, it } from 'vitest'
import { jpeg2000Header, jpegHeader } from '../codestream.ts'
import { decodeRle } from '../rle.ts'
import { decodeFrame, DECODERS } from './pool.ts'
import type { CodecJob } from './serve.ts'

/** The encoders of the package, by its own way of loading them: other code than the one that is tested. */
const packaged = createRequire(import.meta.url)('dcmjs-codecs') as {
  readonly Context: typeof CodecContext
  readonly NativeCodecs: typeof Codecs
}

const COLUMNS = 40
const ROWS = 30

/** Smooth, with steps and noise, of a seed. */
function picture(bits: number, samples = 1): Uint16Array<ArrayBuffer> {
  let state = 7
  return Uint16Array.from({ length: COLUMNS * ROWS * samples }, (_, i) => {
    state = (state * 1_664_525 + 1_013_904_223) >>> 0
    const ramp = (i % (COLUMNS * samples)) / (COLUMNS * samples)
    return Math.floor((ramp * 0.8 + (state / 2 ** 32) * 0.2) * (2 ** bits - 1))
  })
}

type Encoder = 'encodeJpeg' | 'encodeJpegLs' | 'encodeJpeg2000' | 'encodeHtJpeg2000'

function encode(
  encoder: Encoder,
  values: Uint16Array<ArrayBuffer>,
  bits: number,
  samples = 1,
): Uint8Array<ArrayBuffer> {
  const bytes = bits > 8 ? new Uint8Array(values.buffer.slice(0)) : Uint8Array.from(values)
  const context = new packaged.Context({
    width: COLUMNS,
    height: ROWS,
    bitsAllocated: bits > 8 ? 16 : 8,
    bitsStored: bits,
    samplesPerPixel: samples,
    pixelRepresentation: 0,
    planarConfiguration: 0,
    photometricInterpretation: samples === 3 ? 'RGB' : 'MONOCHROME2',
    decodedBuffer: bytes,
  })
  const parameters = { lossy: false, predictor: 1, pointTransform: 0 }
  const coded = packaged.NativeCodecs[encoder](context, parameters).getEncodedBuffer()
  if (coded === undefined) throw new Error('nothing was encoded')
  return new Uint8Array(coded)
}

const NAMES: Record<Encoder, CodecJob['codec']> = {
  encodeJpeg: 'jpeg',
  encodeJpegLs: 'jpeg-ls',
  encodeJpeg2000: 'jpeg-2000',
  encodeHtJpeg2000: 'jpeg-2000',
}

function job(encoder: Encoder, data: Uint8Array<ArrayBuffer>, bits: number, samples = 1): CodecJob {
  return { codec: NAMES[encoder], data, columns: COLUMNS, rows: ROWS, samples, bits, toRgb: false }
}

async function decoded(of: CodecJob): Promise<Uint16Array> {
  const answer = await decodeFrame(of)
  if ('failed' in answer) throw new Error(answer.failed)
  return of.bits > 8 ? new Uint16Array(answer.data.buffer) : Uint16Array.from(answer.data)
}

beforeAll(async () => {
  await packaged.NativeCodecs.initializeAsync()
})

describe('decoders in their threads', () => {
  it.each<[Encoder, number, 1 | 3]>([
    ['encodeJpeg', 8, 1],
    ['encodeJpeg', 12, 1],
    ['encodeJpeg', 16, 1],
    ['encodeJpeg', 8, 3],
    ['encodeJpegLs', 8, 1],
    ['encodeJpegLs', 12, 1],
    ['encodeJpegLs', 16, 1],
    ['encodeJpegLs', 8, 3],
    ['encodeJpeg2000', 8, 1],
    ['encodeJpeg2000', 16, 1],
    ['encodeJpeg2000', 8, 3],
    ['encodeHtJpeg2000', 8, 1],
    ['encodeHtJpeg2000', 12, 1],
    ['encodeHtJpeg2000', 16, 1],
  ])('give back what was packed without loss: %s, %i bits, %i samples', async (encoder, bits, samples) => {
    const values = picture(bits, samples)
    const data = encode(encoder, values, bits, samples)
    const header = NAMES[encoder] === 'jpeg-2000' ? jpeg2000Header(data) : jpegHeader(data)
    expect(header).toMatchObject({ columns: COLUMNS, rows: ROWS, samples })
    // Some of the encoders state what was allocated.
    expect([bits, bits > 8 ? 16 : 8]).toContain(header?.bits)
    expect(await decoded(job(encoder, data, header?.bits ?? 0, samples))).toEqual(values)
  })

  it('are many at once, and each has its own answer', async () => {
    const values = picture(12)
    const data = encode('encodeJpegLs', values, 12)
    const answers = await Promise.all(
      Array.from({ length: 3 * DECODERS + 2 }, () => decoded(job('encodeJpegLs', data.slice(), 12))),
    )
    for (const answer of answers) expect(answer).toEqual(values)
  })

  it('say why they failed, and the next frame is decoded all the same', async () => {
    const values = picture(12)
    for (const encoder of ['encodeJpeg', 'encodeJpegLs', 'encodeJpeg2000'] as const) {
      const data = encode(encoder, values, 12)
      const cut = data.slice(0, Math.floor(data.length / 2))
      expect(await decodeFrame(job(encoder, cut, 12)), encoder).toHaveProperty('failed')
      expect(await decoded(job(encoder, data, 12)), encoder).toEqual(values)
    }
  })

  it('are ended when their time is up', async () => {
    const data = encode('encodeJpeg2000', picture(16), 16)
    expect(await decodeFrame(job('encodeJpeg2000', data.slice(), 16), 0)).toEqual({
      failed: 'the decoder did not come to an end',
    })
    expect(await decoded(job('encodeJpeg2000', data, 16))).toEqual(picture(16))
  })
})

describe('headers of compressed frames', () => {
  it('are refused where they are cut off or lie about their lengths', () => {
    const jpeg = encode('encodeJpeg', picture(12), 12)
    const wavelet = encode('encodeJpeg2000', picture(12), 12)
    for (let length = 0; length < 60; length++) expect(jpegHeader(jpeg.subarray(0, length % 20))).toBeNull()
    for (let length = 0; length < 40; length++) expect(jpeg2000Header(wavelet.subarray(0, length))).toBeNull()
    expect(jpegHeader(Uint8Array.from([0xff, 0xd8, 0xff, 0xe0, 0, 0, 0, 0]))).toBeNull()
  })

  it('are refused where they ask for millions of tiles', () => {
    const tiles = encode('encodeJpeg2000', picture(8), 8)
    const view = new DataView(tiles.buffer)
    view.setUint32(8, 60_000)
    view.setUint32(12, 60_000)
    view.setUint32(24, 1)
    view.setUint32(28, 1)
    expect(jpeg2000Header(tiles)).toBeNull()
  })
})

describe('run lengths', () => {
  it('never go beyond their segment or their frame', () => {
    const header = (...offsets: number[]): Buffer => {
      const bytes = Buffer.alloc(64)
      ;[offsets.length, ...offsets].forEach((value, i) => bytes.writeUInt32LE(value, 4 * i))
      return bytes
    }
    const frame = (offsets: number[], ...bytes: number[]): Buffer =>
      Buffer.concat([header(...offsets), Buffer.from(bytes)])
    expect(decodeRle(frame([64], 3, 1, 2, 3, 4), 4, 1, 1)).toEqual(Uint8Array.from([1, 2, 3, 4]))
    expect(decodeRle(frame([64], 256 - 9, 5), 4, 1, 1)).toEqual(Uint8Array.from([5, 5, 5, 5]))
    expect(decodeRle(frame([64], 3, 1, 2), 4, 1, 1)).toBeNull()
    expect(decodeRle(frame([64], 256 - 9), 4, 1, 1)).toBeNull()
    expect(decodeRle(frame([64], 1, 1, 2), 4, 1, 1)).toBeNull()
    expect(decodeRle(frame([9999], 3, 1, 2, 3, 4), 4, 1, 1)).toBeNull()
    expect(decodeRle(frame([64, 65], 3, 1, 2, 3, 4), 4, 1, 1)).toBeNull()
    expect(decodeRle(Buffer.alloc(10), 4, 1, 1)).toBeNull()
  })
})
