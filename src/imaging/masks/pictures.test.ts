import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { deflateSync, crc32 } from 'node:zlib'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readImage, readMask, writeMaskAs } from '../index.ts'
import { temporaryFolder } from '../testing/folders.ts'
import { findPython, runPython } from '../testing/peer.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
const at = (name: string): string => join(folder.path, name)
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(() => folder.remove())

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const bytes = Buffer.alloc(body.length + 8)
  bytes.writeUInt32BE(data.length, 0)
  body.copy(bytes, 4)
  bytes.writeUInt32BE(crc32(body), body.length + 4)
  return bytes
}

interface Png {
  width: number
  height: number
  depth: number
  colour: number
  /** Filter bytes and packed samples. */
  rows: number[]
  palette?: number[]
  interlaced?: boolean
}

/** A PNG by the specification, without the help of what is tested. */
function png({ width, height, depth, colour, rows, palette, interlaced = false }: Png): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([depth, colour, 0, 0, interlaced ? 1 : 0], 8)
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    ...(palette === undefined ? [] : [chunk('PLTE', Uint8Array.from(palette))]),
    chunk('IDAT', deflateSync(Uint8Array.from(rows))),
    chunk('IEND', new Uint8Array(0)),
  ])
}

async function labelsOf(name: string, bytes: Uint8Array): Promise<number[]> {
  await writeFile(at(name), bytes)
  return [...(await readMask(at(name))).labels]
}

const RED_GREEN_BLUE = [0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255]

describe('pictures as masks', () => {
  it('give the indices of a palette, of every depth, not their colours', async () => {
    const palette = RED_GREEN_BLUE
    const base = { width: 4, height: 2, colour: 3, palette }
    expect(await labelsOf('p8.png', png({ ...base, depth: 8, rows: [0, 0, 1, 2, 3, 2, 3, 0, 0, 1] }))).toEqual([
      ...[0, 1, 2, 3, 3, 1, 2, 3].slice(0, 4),
      // Filter 2 adds the row above.
      ...[3, 1, 2, 4],
    ])
    expect(await labelsOf('p4.png', png({ ...base, depth: 4, rows: [0, 0x01, 0x23, 0, 0x32, 0x10] }))).toEqual([
      0, 1, 2, 3, 3, 2, 1, 0,
    ])
    expect(await labelsOf('p2.png', png({ ...base, depth: 2, rows: [0, 0b00011011, 0, 0b11100100] }))).toEqual([
      0, 1, 2, 3, 3, 2, 1, 0,
    ])
    expect(await labelsOf('p1.png', png({ ...base, depth: 1, rows: [0, 0b01010000, 0, 0b11000000] }))).toEqual([
      0, 1, 0, 1, 1, 1, 0, 0,
    ])
  })
  it('give grey of 1, 2, 4 and 16 bits as stored', async () => {
    const base = { width: 4, height: 1, colour: 0 }
    expect(await labelsOf('g1.png', png({ ...base, depth: 1, rows: [0, 0b10110000] }))).toEqual([1, 0, 1, 1])
    expect(await labelsOf('g2.png', png({ ...base, depth: 2, rows: [0, 0b00011011] }))).toEqual([0, 1, 2, 3])
    expect(await labelsOf('g4.png', png({ ...base, depth: 4, rows: [0, 0x0f, 0x1a] }))).toEqual([0, 15, 1, 10])
    const wide = png({ ...base, depth: 16, rows: [0, 0, 7, 1, 0, 255, 255, 0, 0] })
    expect(await labelsOf('g16.png', wide)).toEqual([7, 256, 65535, 0])
    expect((await readMask(at('g16.png'))).labels).toBeInstanceOf(Uint16Array)
  })
  it('take colour whose channels are equal as grey, refuse other colour, leave out transparency', async () => {
    const base = { width: 2, height: 1, depth: 8 }
    expect(await labelsOf('rgb.png', png({ ...base, colour: 2, rows: [0, 5, 5, 5, 9, 9, 9] }))).toEqual([5, 9])
    await expect(labelsOf('red.png', png({ ...base, colour: 2, rows: [0, 5, 0, 0, 9, 9, 9] }))).rejects.toThrow(
      'red.png is in colour',
    )
    expect(await labelsOf('ga.png', png({ ...base, colour: 4, rows: [0, 3, 255, 4, 0] }))).toEqual([3, 4])
    expect((await readMask(at('ga.png'))).warnings).toEqual(['Transparency in the mask was left out.'])
    expect(await labelsOf('rgba.png', png({ ...base, colour: 6, rows: [0, 3, 3, 3, 255, 4, 4, 4, 255] }))).toEqual([
      3, 4,
    ])
    expect((await readMask(at('rgba.png'))).warnings).toEqual([])
  })
  it('are refused when cut, damaged or larger than their file can be', async () => {
    const good = png({ width: 4, height: 1, depth: 8, colour: 0, rows: [0, 1, 2, 3, 4] })
    const refused = async (bytes: Uint8Array, words: RegExp): Promise<void> => {
      await expect(labelsOf('bad.png', bytes)).rejects.toThrow(words)
    }
    await refused(good.subarray(0, good.length - 18), /cut off/)
    const flipped = Buffer.from(good)
    flipped[45] = (flipped[45] ?? 0) ^ 1
    await refused(flipped, /damaged/)
    await refused(png({ width: 4, height: 9, depth: 8, colour: 0, rows: [0, 1, 2, 3, 4] }), /cut off/)
    await refused(png({ width: 16_000, height: 16_000, depth: 16, colour: 6, rows: [0, 1] }), /cut off/)
    await refused(png({ width: 100_000, height: 100_000, depth: 1, colour: 0, rows: [0, 1] }), /268 million/)
    await refused(png({ width: 4, height: 1, depth: 3, colour: 0, rows: [0, 1] }), /damaged/)
    await refused(png({ width: 4, height: 1, depth: 8, colour: 0, rows: [9, 1, 2, 3, 4] }), /damaged/)
  })
  it('in JPEG are taken with a warning', async () => {
    const pixels = new Uint8Array(64 * 64).fill(2)
    const bytes = await sharp(pixels, { raw: { width: 64, height: 64, channels: 1 } })
      .toColourspace('b-w')
      .jpeg({ quality: 100 })
      .toBuffer()
    expect(new Set(await labelsOf('mask.jpg', bytes))).toEqual(new Set([2]))
    expect((await readMask(at('mask.jpg'))).warnings.join()).toMatch(/JPEG/)
  })
  it('in JPEG that were black and white are so again', async () => {
    const disk = Uint8Array.from({ length: 64 * 64 }, (_, i) =>
      Math.hypot((i % 64) - 32, (i >> 6) - 30) < 15 ? 255 : 0,
    )
    const bytes = await sharp(disk, { raw: { width: 64, height: 64, channels: 1 } })
      .toColourspace('b-w')
      .jpeg({ quality: 60 })
      .toBuffer()
    const blurred = new Set(await sharp(bytes).toColourspace('b-w').raw().toBuffer())
    expect(blurred.size, 'values that JPEG made of two').toBeGreaterThan(20)
    expect(await labelsOf('disk.jpg', bytes)).toEqual([...disk])
  })
  it('in BMP give indices where the palette is in colour', async () => {
    const bmp = (palette: number[]): Buffer => {
      const bytes = Buffer.alloc(54 + 16 + 4)
      bytes.write('BM')
      bytes.writeUInt32LE(70, 10)
      bytes.writeUInt32LE(40, 14)
      bytes.writeInt32LE(3, 18)
      bytes.writeInt32LE(1, 22)
      bytes.writeUInt16LE(1, 26)
      bytes.writeUInt16LE(8, 28)
      bytes.set(palette, 54)
      bytes.set([2, 0, 1, 0], 70)
      return bytes
    }
    expect(await labelsOf('c.bmp', bmp([0, 0, 0, 0, 0, 0, 9, 0, 9, 0, 0, 0]))).toEqual([2, 0, 1])
    expect(await labelsOf('g.bmp', bmp([0, 0, 0, 0, 7, 7, 7, 0, 200, 200, 200, 0]))).toEqual([200, 0, 7])
  })
})

describe('the EXIF orientation', () => {
  // F-like: no turn or mirror image of it is like another.
  const SHAPE = [1, 1, 1, 1, 0, 0, 1, 1, 0, 1, 0, 0]
  const turned = (orientation: number): { width: number; height: number; pixels: number[] } => {
    // CIPA DC-008: which stored row and column is the visual top and left.
    const pick: Record<number, (x: number, y: number) => [number, number]> = {
      1: (x, y) => [x, y],
      2: (x, y) => [2 - x, y],
      3: (x, y) => [2 - x, 3 - y],
      4: (x, y) => [x, 3 - y],
      5: (x, y) => [y, x],
      6: (x, y) => [y, 3 - x],
      7: (x, y) => [2 - y, 3 - x],
      8: (x, y) => [2 - y, x],
    }
    const [width, height] = orientation >= 5 ? [4, 3] : [3, 4]
    const pixels = Array.from({ length: 12 }, (_, i) => {
      const [x, y] = pick[orientation]?.(i % width, Math.floor(i / width)) ?? [0, 0]
      return SHAPE[x + 3 * y] ?? 0
    })
    return { width, height, pixels }
  }
  const encoded = (orientation: number, value: number) =>
    sharp(
      Uint8Array.from(SHAPE, (v) => v * value),
      { raw: { width: 3, height: 4, channels: 1 } },
    )
      .toColourspace('b-w')
      .withMetadata({ orientation })

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('%i turns image and mask alike', async (orientation) => {
    const { width, height, pixels } = turned(orientation)
    const files: [string, Promise<Buffer>][] = [
      ['png', encoded(orientation, 200).png().toBuffer()],
      ['tif', encoded(orientation, 200).tiff({ compression: 'none' }).toBuffer()],
      ['jpg', encoded(orientation, 200).jpeg({ quality: 100 }).toBuffer()],
    ]
    for (const [ending, bytes] of files) {
      const name = `image-${orientation}.${ending}`
      await writeFile(at(name), await bytes)
      const image = await readImage(at(name))
      expect(image.dims, name).toEqual([width, height, 1])
      const shown = [...(await image.voxels.all())].map((value) => Number(value > 100))
      expect(shown, name).toEqual(pixels)
      // A mask drawn over what is shown is saved as it was drawn, and carries no turn of its own.
      const labels = Uint8Array.from(pixels, (value) => value * 3)
      for (const format of ['png', 'tiff', 'nifti'] as const) {
        const path = at(`drawn-${orientation}-${ending}.${{ png: 'png', tiff: 'tif', nifti: 'nii' }[format]}`)
        await writeMaskAs(path, format, labels, image)
        const read = await readMask(path, { image })
        expect(read.dims).toEqual(image.dims)
        expect([...read.labels]).toEqual([...labels])
      }
    }
    // A mask file that has a turn of its own is turned too.
    const own = await encoded(orientation, 1).png({ palette: false }).toBuffer()
    expect(await labelsOf(`own-${orientation}.png`, own)).toEqual(pixels)
    const stored = await encoded(orientation, 1).tiff({ compression: 'none' }).toBuffer()
    expect(await labelsOf(`own-${orientation}.tif`, stored)).toEqual(pixels)
  })
})

const peer = findPython(['PIL', 'numpy'])
const MAKE = `
import sys, json, numpy as np
from PIL import Image
folder = sys.argv[1]
rng = np.random.default_rng(5)
out = {}
def save(name, image, **more):
    image.save(folder + '/' + name, **more)
    out[name] = np.array(Image.open(folder + '/' + name)).astype(int).ravel().tolist()
a = rng.integers(0, 200, (37, 53)).astype(np.uint8)
p = Image.fromarray(a, 'P'); p.putpalette(rng.integers(0, 256, 768).astype(np.uint8).tobytes())
save('palette.png', p)
save('palette4.png', Image.fromarray(a % 16, 'P').quantize(16) if False else p.point(lambda v: v % 16), bits=4)
save('palette1.png', p.point(lambda v: v % 2), bits=1)
save('grey.png', Image.fromarray(a))
save('one.png', Image.fromarray(a > 90))
save('wide.png', Image.fromarray((a.astype(np.uint16) * 257)))
save('palette.tif', p)
save('packed.tif', Image.fromarray(a), compression='tiff_lzw')
save('grey.bmp', Image.fromarray(a))
print(json.dumps(out))
`

describe.skipIf(!peer.available)(`mask pictures that Pillow writes ${peer.reason}`, () => {
  it('give the numbers that Pillow gives', { timeout: 60_000 }, async () => {
    const truth = runPython(peer, MAKE, [folder.path]) as Record<string, number[]>
    for (const [name, expected] of Object.entries(truth)) {
      expect([...(await readMask(at(name))).labels], name).toEqual(expected)
    }
  })
})
