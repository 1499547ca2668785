import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CodedError } from '../../core/contract/errors.ts'
import {
  contentHash,
  isSupported,
  maskExtension,
  readImage,
  readImageInfo,
  readLabelMap,
  robustRange,
  verifyMask,
  writeMask,
  writePng,
} from '../index.ts'
import { temporaryFolder, testData } from '../testing/folders.ts'
import { findPython, runPython } from '../testing/peer.ts'
import { tiffBytes } from '../testing/tiff.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
const at = (name: string): string => join(folder.path, name)
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(() => folder.remove())

async function errorOf(action: Promise<unknown>): Promise<{ code: string; message: string }> {
  const thrown = await action.then(
    () => null,
    (error: unknown) => error,
  )
  if (thrown instanceof CodedError) return { code: thrown.code, message: thrown.message }
  throw new Error('expected a coded error', { cause: thrown })
}

const RGB = Uint8Array.from({ length: 4 * 3 * 3 }, (_, i) => (i * 7) % 256)

describe('pictures', () => {
  it('keep 8-bit colour and grey as stored', async () => {
    await writePng(at('rgb.png'), { width: 4, height: 3, channels: 3, data: RGB })
    const colour = await readImage(at('rgb.png'))
    expect(colour).toMatchObject({ kind: 'image', dims: [4, 3, 1], channels: 3, voxelType: 'uint8', affine: null })
    expect(await colour.voxels.all()).toEqual(RGB)
    const grey = Uint8Array.from({ length: 12 }, (_, i) => i * 20)
    await writePng(at('grey.png'), { width: 4, height: 3, channels: 1, data: grey })
    expect(await (await readImage(at('grey.png'))).voxels.all()).toEqual(grey)
  })
  it('are one channel where colour holds only grey, whatever the name says', async () => {
    const data = Uint8Array.from({ length: 36 }, (_, i) => Math.floor(i / 3) * 9)
    await writePng(at('grey-as-rgb.jpg'), { width: 4, height: 3, channels: 3, data })
    const image = await readImage(at('grey-as-rgb.jpg'))
    expect(image.info).toMatchObject({ format: 'png', channels: 3 })
    expect(image.channels).toBe(1)
    expect([...(await image.voxels.all())]).toEqual(Array.from({ length: 12 }, (_, i) => i * 9))
  })
  it('keep 16-bit grey of a PNG', async () => {
    const values = Uint16Array.from({ length: 12 }, (_, i) => i * 5001)
    const encoded = sharp(values, { raw: { width: 4, height: 3, channels: 1 } })
      .toColourspace('grey16')
      .png()
    await writeFile(at('wide.png'), await encoded.toBuffer())
    const image = await readImage(at('wide.png'))
    expect(image).toMatchObject({ voxelType: 'uint16', channels: 1 })
    expect(await image.voxels.all()).toEqual(values)
  })
  it('keep every sample type of a TIFF', async () => {
    const samples = {
      uint8: Uint8Array.from({ length: 12 }, (_, i) => i * 20),
      int8: Int8Array.from({ length: 12 }, (_, i) => i * 20 - 110),
      uint16: Uint16Array.from({ length: 12 }, (_, i) => i * 5001),
      int16: Int16Array.from({ length: 12 }, (_, i) => i * 5000 - 32768),
      uint32: Uint32Array.from({ length: 12 }, (_, i) => i * 300_000_001),
      int32: Int32Array.from({ length: 12 }, (_, i) => i * 100_000_001 - 600_000_000),
      float32: Float32Array.from({ length: 12 }, (_, i) => i / 8 - 0.5),
    }
    for (const [type, data] of Object.entries(samples)) {
      await writeFile(at('samples.tif'), tiffBytes([{ width: 4, height: 3, data }]))
      const image = await readImage(at('samples.tif'))
      expect(image.info).toMatchObject({
        format: 'tiff',
        datatype: type,
        channels: 1,
        byteOrder: 'little',
        compressed: false,
      })
      expect(image.voxelType).toBe(type)
      expect(await image.voxels.all()).toEqual(data)
    }
  })
  it('drop alpha, also from grey', async () => {
    const rgba = Uint8Array.from(
      { length: 48 },
      (_, i) => (i % 4 === 3 ? i : RGB[Math.floor(i / 4) * 3 + (i % 4)]) ?? 0,
    )
    await writeFile(
      at('rgba.png'),
      await sharp(rgba, { raw: { width: 4, height: 3, channels: 4 } })
        .png()
        .toBuffer(),
    )
    expect(await (await readImage(at('rgba.png'))).voxels.all()).toEqual(RGB)
    const greyAlpha = Uint8Array.from({ length: 24 }, (_, i) => i * 10)
    const bytes = await sharp(greyAlpha, { raw: { width: 4, height: 3, channels: 2 } })
      .toColourspace('b-w')
      .png()
      .toBuffer()
    await writeFile(at('grey-alpha.png'), bytes)
    const image = await readImage(at('grey-alpha.png'))
    expect(image.info.channels).toBe(1)
    expect([...(await image.voxels.all())]).toEqual(Array.from({ length: 12 }, (_, i) => i * 20))
  })
  it('are turned as their EXIF data ask, and their masks with them', async () => {
    const pixels = Uint8Array.from([250, 0, 0, 0, 250, 250, 0, 0])
    const bytes = await sharp(pixels, { raw: { width: 4, height: 2, channels: 1 } })
      .withMetadata({ orientation: 6 })
      .tiff({ compression: 'none' })
      .toBuffer()
    await writeFile(at('turned.tif'), bytes)
    const info = await readImageInfo(at('turned.tif'))
    expect(info.dims).toEqual([2, 4, 1, 1])
    const image = await readImage(at('turned.tif'))
    expect(image.dims).toEqual([2, 4, 1])
    // Orientation 6: a quarter turn clockwise; the first column becomes the first row, from right to left.
    expect([...(await image.voxels.all())]).toEqual([250, 250, 250, 0, 0, 0, 0, 0])
    await writeMask(at('turned-mask.png'), new Uint8Array(8).fill(2), image)
    expect((await readLabelMap(at('turned-mask.png'))).dims).toEqual([2, 4, 1])
  })
})

describe('what cannot be opened', () => {
  it('is refused in one sentence with the name of the file', async () => {
    const png = await sharp(RGB, { raw: { width: 4, height: 3, channels: 3 } })
      .png()
      .toBuffer()
    const noise = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * i * 31) % 251)
    const jpeg = await sharp(noise, { raw: { width: 64, height: 64, channels: 3 } })
      .jpeg()
      .toBuffer()
    const oldJpeg = tiffBytes([{ width: 4, height: 3, data: new Uint8Array(12) }])
    // The fourth entry of the directory is the compression.
    oldJpeg[8 + 2 + 3 * 12 + 8] = 6
    const files: [string, Uint8Array, RegExp][] = [
      ['empty.png', Buffer.alloc(0), /empty/],
      ['text.png', Buffer.from('this is no picture, only words'), /not an image/],
      ['cut.png', png.subarray(0, png.length - 20), /cut off|damaged/],
      ['cut.jpg', jpeg.subarray(0, 900), /cut off|damaged/],
      ['stub.jpg', jpeg.subarray(0, 4), /damaged|cut off/],
      ['noise.tif', Buffer.concat([Buffer.from([0x49, 0x49, 42, 0]), Buffer.alloc(60, 7)]), /save it again|copy/],
      ['old-jpeg.tif', oldJpeg, /damaged/],
      ['moving.gif', Buffer.from('GIF89a and more'), /GIF/],
      ['scan.dcm', Buffer.concat([Buffer.alloc(128), Buffer.from('DICM and more')]), /DICOM/],
    ]
    for (const [name, bytes, words] of files) {
      await writeFile(at(name), bytes)
      const error = await errorOf(readImage(at(name)))
      expect(error.code, name).toBe('bad-file')
      expect(error.message).toMatch(words)
      expect(error.message).toContain(name)
      expect(error.message).toMatch(/^[^\n]+\.$/)
    }
  })
  it('is refused before memory is taken for what a header only claims', async () => {
    const small = { width: 16, height: 16, channels: 1 as const }
    const picture = () => sharp(new Uint8Array(256).fill(9), { raw: small }).toColourspace('b-w')
    const jpeg = await picture().jpeg().toBuffer()
    const frame = jpeg.indexOf(Buffer.from([0xff, 0xc0]))
    const claim = (extent: number): Buffer => {
      const bytes = Buffer.from(jpeg)
      bytes.writeUInt16BE(extent, frame + 5)
      bytes.writeUInt16BE(extent, frame + 7)
      return bytes
    }
    const png = await picture().png().toBuffer()
    const header = (extent: number): Buffer => {
      const bytes = Buffer.from(png)
      bytes.writeUInt32BE(extent, 16)
      bytes.writeUInt32BE(extent, 20)
      bytes.writeUInt32BE(crc32(bytes.subarray(12, 29)), 29)
      return bytes
    }
    const run = Buffer.alloc(60)
    run.write('BM')
    run.writeUInt32LE(54, 10)
    run.writeUInt32LE(40, 14)
    run.writeInt32LE(16_000, 18)
    run.writeInt32LE(16_000, 22)
    run.writeUInt16LE(8, 28)
    run.writeUInt32LE(1, 30)
    const files: [string, Buffer, RegExp][] = [
      ['claims.jpg', claim(16_000), /cut off/],
      ['claims-more.jpg', claim(65_000), /268 million/],
      ['claims.png', header(16_000), /cut off/],
      ['claims-more.png', header(100_000), /268 million|damaged/],
      ['claims.bmp', run, /cut off/],
    ]
    for (const [name, bytes, words] of files) {
      await writeFile(at(name), bytes)
      expect((await errorOf(readImage(at(name)))).message, name).toMatch(words)
    }
  })
  it('is told apart: missing, a folder, not permitted', async () => {
    expect(await errorOf(readImage(at('nowhere.png')))).toMatchObject({ code: 'file-missing' })
    expect(await errorOf(readImageInfo(join(at('text.png'), 'inside.png')))).toMatchObject({ code: 'file-missing' })
    await mkdir(at('folder.nii'))
    expect((await errorOf(readImage(at('folder.nii')))).message).toMatch(/is a folder/)
  })
  it.skipIf(process.platform === 'win32' || process.getuid?.() === 0)(
    'is not permitted (as root everything is)',
    async () => {
      await writeFile(at('secret.png'), 'x', { mode: 0 })
      expect(await errorOf(readImage(at('secret.png')))).toMatchObject({ code: 'no-permission' })
    },
  )
})

describe('masks of pictures', () => {
  it('are greyscale PNGs of label values', async () => {
    await writePng(at('source.png'), { width: 4, height: 3, channels: 3, data: RGB })
    const image = await readImage(at('source.png'))
    expect(maskExtension(image)).toBe('.png')
    const labels = Uint8Array.from({ length: 12 }, (_, i) => i * 23)
    const target = at('source-mask.png')
    await writeMask(target, labels, image)
    await verifyMask(target, labels, image)
    const meta = await sharp(target).metadata()
    expect(meta).toMatchObject({ channels: 1, depth: 'uchar', space: 'b-w', width: 4, height: 3 })
    expect((await readLabelMap(target)).labels).toEqual(labels)
    const other = labels.slice()
    other[5] = 1
    expect((await errorOf(verifyMask(target, other, image))).code).toBe('verify-failed')
    expect((await errorOf(writeMask(at('m.nii.gz'), labels, image))).code).toBe('bad-request')
    expect((await errorOf(writeMask(at('source.png'), labels, image))).code).toBe('bad-request')
    expect((await readdir(folder.path)).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })
  it('are refused when they are in colour', async () => {
    expect((await errorOf(readLabelMap(at('source.png')))).message).toMatch(/colour/)
  })
})

describe('robustRange', () => {
  const range = (data: Float32Array<ArrayBuffer>, slope = 1, inter = 0) =>
    robustRange({ data, channels: 1, slope, inter })
  it('gives percentiles as numpy does, scaled', () => {
    // 0 to 1000: 0.5 % is 5, 99.5 % is 995.
    const data = Float32Array.from({ length: 1001 }, (_, i) => (i * 8) % 1001)
    expect(range(data)).toEqual({ low: 5, high: 995, min: 0, max: 1000 })
    expect(range(data, -2, 10)).toEqual({ low: -1980, high: 0, min: -1990, max: 10 })
  })
  it('leaves out what is not finite and never gives an empty window', () => {
    expect(range(Float32Array.of(NaN, Infinity, 3, -Infinity, 5))).toMatchObject({ min: 3, max: 5 })
    expect(range(Float32Array.of(NaN))).toEqual({ low: 0, high: 1, min: 0, max: 1 })
    expect(range(new Float32Array(9).fill(4))).toEqual({ low: 3.5, high: 4.5, min: 4, max: 4 })
    const rare = new Float32Array(10_000)
    rare[77] = 8
    expect(range(rare)).toEqual({ low: 0, high: 8, min: 0, max: 8 })
  })
  it('samples large images evenly', () => {
    const data = Float32Array.from({ length: 2_000_000 }, (_, i) => i)
    const { low, high, min, max } = range(data)
    expect([min, max]).toEqual([0, 1_999_999])
    expect(Math.abs(low - 10_000)).toBeLessThan(200)
    expect(Math.abs(high - 1_990_000)).toBeLessThan(200)
  })
})

describe('files', () => {
  it('are hashed by content', async () => {
    await writeFile(at('abc'), 'abc')
    // FIPS 180-2, example B.1.
    expect(await contentHash(at('abc'))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  })
  it('are listed by their ending', () => {
    expect(['a.NII.GZ', 'b.nii', 'c.jpeg', 'd.TIF', 'e.bmp'].every(isSupported)).toBe(true)
    expect(['a.gz', 'nii', 'b.txt', 'c.png.bak'].some(isSupported)).toBe(false)
  })
})

const peer = findPython(['PIL', 'numpy'])
const DECODE = `
import sys, json, numpy as np
from PIL import Image
out = {}
for path in sys.argv[1:]:
    out[path] = np.array(Image.open(path).convert('RGB')).ravel().tolist()
print(json.dumps(out))
`

describe.skipIf(!peer.available)(`pictures against Pillow ${peer.reason}`, () => {
  const wanted = [testData('wbc', 'images'), testData('nerve', 'images'), testData('em-membrane', 'images')]
  it.skipIf(wanted.includes(null))('are decoded to the same samples', { timeout: 60_000 }, async () => {
    const files: string[] = []
    for (const dir of wanted) {
      if (dir === null) continue
      files.push(
        ...(await readdir(dir))
          .sort()
          .slice(0, 4)
          .map((name) => join(dir, name)),
      )
    }
    const truth = runPython(peer, DECODE, files) as Record<string, number[]>
    for (const file of files) {
      const image = await readImage(file)
      const expected = truth[file] ?? []
      const data = [...(await image.voxels.all())]
      const samples = image.channels === 3 ? data : data.flatMap((v) => [v, v, v])
      let largest = 0
      samples.forEach((value, i) => (largest = Math.max(largest, Math.abs(value - (expected[i] ?? -99)))))
      expect(samples.length, file).toBe(expected.length)
      // JPEG decoders may round differently by one; the others are exact.
      expect(largest, file).toBeLessThanOrEqual(/\.jpe?g$/i.test(file) ? 2 : 0)
    }
  })
})
