import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTiled, readImage, readImageInfo } from '../index.ts'
import { temporaryFolder } from '../testing/folders.ts'
import { readTiffIndices, writeTiffStack } from './index.ts'
import { MOST_PAGES } from './pages.ts'
import { buildTiff, greyPage, greyTags, type TestPage, type TestTag } from './testing/build.ts'
import { errorOf, voxelsOf } from './testing/reading.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(() => folder.remove())

let count = 0
async function fileOf(bytes: Uint8Array): Promise<string> {
  const path = join(folder.path, `file-${count++}.tif`)
  await writeFile(path, bytes)
  return path
}

const ramp = (i: number): number => i % 256

describe('samples', () => {
  it('of any number of bits are unpacked, the highest first', async () => {
    // 12 bits: 0xabc, 0x123, 0xfff in a row of 5 bytes, the last half byte padding; then the row again.
    const row = [0xab, 0xc1, 0x23, 0xff, 0xf0]
    const path = await fileOf(
      buildTiff([{ tags: greyTags(3, 2, { bits: 12 }), blocks: [Uint8Array.of(...row, ...row)] }]),
    )
    expect(await voxelsOf(path)).toEqual([0xabc, 0x123, 0xfff, 0xabc, 0x123, 0xfff])
    // 31 bits in a row: 0x7fffffff, 1.
    const wide = Uint8Array.of(0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 4)
    const other = await fileOf(buildTiff([{ tags: greyTags(2, 1, { bits: 31 }), blocks: [wide] }]))
    expect(await voxelsOf(other)).toEqual([0x7fffffff, 1])
  })
  it('of less than 8 bits are spread as grey and kept as labels', async () => {
    const tags = greyTags(4, 1, { bits: 2 })
    const path = await fileOf(buildTiff([{ tags, blocks: [Uint8Array.of(0b00011011)] }]))
    expect(await voxelsOf(path)).toEqual([0, 85, 170, 255])
    expect([...(await readTiffIndices(path)).labels]).toEqual([0, 1, 2, 3])
    const white = await fileOf(
      buildTiff([{ tags: greyTags(4, 1, { bits: 2, photometric: 0 }), blocks: [Uint8Array.of(0b00011011)] }]),
    )
    expect(await voxelsOf(white)).toEqual([255, 170, 85, 0])
    expect([...(await readTiffIndices(white)).labels]).toEqual([3, 2, 1, 0])
  })
  it('that were never written are zero', async () => {
    const tags: TestTag[] = [...greyTags(32, 16), [322, 3, [16]], [323, 3, [16]]]
    const tile = new Uint8Array(256).fill(9)
    const path = await fileOf(buildTiff([{ tags, blocks: [new Uint8Array(0), tile], tiled: true }]))
    const all = await voxelsOf(path)
    expect([all[0], all[15], all[16], all[31]]).toEqual([0, 0, 9, 9])
  })
  it('lie where a BigTIFF of either byte order says', async () => {
    for (const littleEndian of [true, false]) {
      const data = littleEndian ? Uint8Array.of(1, 2, 3, 4) : Uint8Array.of(2, 1, 4, 3)
      const page = { tags: greyTags(2, 1, { bits: 16 }), blocks: [data] }
      const path = await fileOf(buildTiff([page], { big: true, littleEndian }))
      expect(await voxelsOf(path)).toEqual([0x0201, 0x0403])
      expect((await readImageInfo(path)).byteOrder).toBe(littleEndian ? 'little' : 'big')
    }
  })
  it('in one long strip are read in pieces', async () => {
    const [width, height] = [3000, 2001]
    const data = Uint16Array.from({ length: width * height }, (_, i) => (i * 7) % 65_536)
    const page = { tags: greyTags(width, height, { bits: 16 }), blocks: [new Uint8Array(data.buffer)] }
    const image = await readImage(await fileOf(buildTiff([page])))
    expect(Buffer.compare(Buffer.from((await image.voxels.all()).buffer), Buffer.from(data.buffer))).toBe(0)
    const short = { ...page, tags: [...page.tags, [279, 4, [5e6]] as TestTag] }
    expect((await errorOf(readImage(await fileOf(buildTiff([short]))))).message).toMatch(/cut off/)
    const planes = {
      tags: [
        ...greyTags(width, height, { photometric: 2 }).filter(([tag]) => tag !== 277),
        [277, 3, [3]],
        [284, 3, [2]],
      ],
      blocks: [1, 2, 3].map((value) => new Uint8Array(width * height).fill(value)),
    } as TestPage
    const colours = await (await readImage(await fileOf(buildTiff([planes])))).voxels.all()
    expect([...colours.slice(0, 3), ...colours.slice(-3)]).toEqual([1, 2, 3, 1, 2, 3])
  })
  it('in LERC are unpacked', async () => {
    // A LERC2 blob, version 2, of 3 x 2 bytes that are written as they are.
    const blob = new Uint8Array(10 + 48 + 4 + 1 + 6)
    const view = new DataView(blob.buffer)
    blob.set(new TextEncoder().encode('Lerc2 '))
    view.setInt32(6, 2, true)
    ;[2, 3, 6, 8, blob.length, 1].forEach((value, i) => view.setInt32(10 + 4 * i, value, true))
    ;[0.5, 1, 60].forEach((value, i) => view.setFloat64(34 + 8 * i, value, true))
    view.setInt32(58, 0, true)
    blob.set([1, 1, 20, 30, 40, 50, 60], 62)
    const page = (data: Uint8Array, packing: number): TestPage => ({
      tags: [...greyTags(3, 2, { compression: 34887 }), [50674, 4, [4, packing]]],
      blocks: [data],
    })
    expect(await voxelsOf(await fileOf(buildTiff([page(blob, 0)])))).toEqual([1, 20, 30, 40, 50, 60])
    expect(await voxelsOf(await fileOf(buildTiff([page(deflateSync(blob), 1)])))).toEqual([1, 20, 30, 40, 50, 60])
    view.setInt32(10, 4000, true)
    expect((await errorOf(voxelsOf(await fileOf(buildTiff([page(blob, 0)]))))).code).toBe('bad-file')
  })
})

describe('pages', () => {
  it('of one size are slices, others are left out', async () => {
    const pages = [greyPage(3, 2, () => 1), greyPage(5, 5, () => 9), greyPage(3, 2, () => 2), greyPage(3, 2, () => 3)]
    const path = await fileOf(buildTiff(pages))
    const image = await readImage(path)
    expect(image).toMatchObject({ kind: 'volume', dims: [3, 2, 3], affine: null, spacingKnown: false })
    expect(image.info).toMatchObject({ dims: [3, 2, 3, 1], frames: 1, levels: 1 })
    expect(image.warnings.join()).toMatch(/left out/)
    expect(await voxelsOf(path)).toEqual([1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3])
    await image.voxels.close()
  })
  it('that are marked as smaller copies are levels', async () => {
    const reduced: TestTag[] = [[254, 4, [1]]]
    const pages = [greyPage(8, 6, ramp), greyPage(4, 3, () => 7, reduced), greyPage(2, 2, () => 8, reduced)]
    const path = await fileOf(buildTiff(pages))
    expect(await readImageInfo(path)).toMatchObject({ dims: [8, 6, 1, 1], levels: 3, warnings: [] })
    const tiled = await openTiled(path)
    expect(tiled.levels.map(({ width, height, downsample }) => [width, height, downsample])).toEqual([
      [8, 6, 1],
      [4, 3, 2],
      [2, 2, 4],
    ])
    expect([...(await tiled.tile(2, 0, 0)).data]).toEqual([8, 8, 8, 8])
    expect((await errorOf(tiled.tile(0, 1, 0))).code).toBe('bad-request')
    await tiled.close()
    expect((await errorOf(tiled.tile(0, 0, 0))).code).toBe('cancelled')
  })
  it('that lead back to an earlier one are each used once', async () => {
    const pages = [greyPage(2, 1, () => 1), greyPage(2, 1, () => 2)]
    const path = await fileOf(buildTiff(pages, { next: (offsets) => offsets[0] ?? 0 }))
    expect(await voxelsOf(path)).toEqual([1, 1, 2, 2])
    expect((await readImageInfo(path)).warnings.join()).toMatch(/earlier one/)
  })
  it('behind a damaged one are given up', async () => {
    const pages = [greyPage(2, 1, () => 1), greyPage(2, 1, () => 2)]
    const path = await fileOf(buildTiff(pages, { next: () => 1e9 }))
    expect(await voxelsOf(path)).toEqual([1, 1, 2, 2])
    expect((await readImageInfo(path)).warnings.join()).toMatch(/damaged or missing/)
  })
  it('are looked at up to a number', { timeout: 60_000 }, async () => {
    // A million directories of eight entries, all with the same strip.
    const pages = 1_000_000
    const bytes = Buffer.alloc(16 + pages * 102)
    bytes.set([0x49, 0x49, 42, 0, 16, 0, 0, 0, 1, 2, 3, 4])
    const tags = [256, 257, 258, 259, 262, 273, 277, 279].entries()
    const values = [2, 2, 8, 1, 1, 8, 1, 4]
    const directory = Buffer.alloc(102)
    directory.writeUInt16LE(8)
    for (const [i, tag] of tags) {
      directory.writeUInt16LE(tag, 2 + i * 12)
      directory.writeUInt16LE(4, 4 + i * 12)
      directory.writeUInt32LE(1, 6 + i * 12)
      directory.writeUInt32LE(values[i] ?? 0, 10 + i * 12)
    }
    for (let page = 0; page < pages; page++) {
      const at = 16 + page * 102
      directory.copy(bytes, at)
      bytes.writeUInt32LE(page + 1 < pages ? at + 102 : 0, at + 98)
    }
    const path = await fileOf(bytes)
    const info = await readImageInfo(path)
    expect(info.dims).toEqual([2, 2, MOST_PAGES, 1])
    expect(info.warnings.join()).toMatch(/first 20000 are used/)
    const image = await readImage(path)
    const last = await image.voxels.slice(2, MOST_PAGES - 1)
    expect([...last]).toEqual([1, 2, 3, 4])
    await image.voxels.close()
  })
})

describe('a TIFF that lies', () => {
  it('is refused before memory is asked for', async () => {
    const cases: [string, TestPage, RegExp][] = [
      ['strips past the end', { tags: [...greyTags(8, 8), [273, 4, [1e6]]], blocks: [new Uint8Array(64)] }, /cut off/],
      ['too few bytes', { tags: greyTags(8, 8), blocks: [new Uint8Array(60)] }, /cut off/],
      [
        'a short stream',
        { tags: greyTags(64, 64, { compression: 8 }), blocks: [deflateSync(new Uint8Array(4000))] },
        /cut off/,
      ],
      [
        'a broken stream',
        { tags: greyTags(64, 64, { compression: 8 }), blocks: [deflateSync(Buffer.alloc(4096)).subarray(0, 12)] },
        /damaged/,
      ],
      [
        'an LZW stream that ends',
        { tags: greyTags(64, 64, { compression: 5 }), blocks: [Uint8Array.of(128, 0)] },
        /cut/,
      ],
      ['huge size', { tags: greyTags(2e9, 2e9, { compression: 8 }), blocks: [new Uint8Array(9)] }, /short|million/],
      ['an unknown compression', { tags: greyTags(2, 2, { compression: 999 }), blocks: [new Uint8Array(4)] }, /999/],
      ['no size', { tags: greyTags(0, 2), blocks: [new Uint8Array(4)] }, /damaged/],
      ['complex', { tags: greyTags(2, 2, { bits: 64, format: 6 }), blocks: [new Uint8Array(32)] }, /complex/],
      ['JPEG without a picture', { tags: greyTags(8, 8, { compression: 7 }), blocks: [new Uint8Array(64)] }, /damaged/],
      ['fewer strips than rows', { tags: greyTags(8, 8, { rows: 1 }), blocks: [new Uint8Array(8)] }, /damaged/],
    ]
    for (const [what, page, words] of cases) {
      const path = await fileOf(buildTiff([page]))
      const error = await errorOf(readImage(path).then((image) => image.voxels.all()))
      expect(error.code, what).toBe('bad-file')
      expect(error.message, what).toMatch(words)
    }
  })
  it('is refused where its directory is none', async () => {
    const good = buildTiff([greyPage(4, 4, ramp)])
    for (let at = 8; at < good.length - 4; at += 7) expect((await errorOf(readCut(good, at))).code).toBe('bad-file')
    const absurd = Uint8Array.from(good)
    new DataView(absurd.buffer).setUint16(24, 65_535, true)
    expect((await errorOf(readImage(await fileOf(absurd)))).code).toBe('bad-file')
    const nothing = Uint8Array.of(0x49, 0x49, 42, 0, 0, 0, 0, 0)
    expect((await errorOf(readImage(await fileOf(nothing)))).message).toMatch(/no picture/)
  })
  const readCut = async (bytes: Uint8Array, length: number): Promise<unknown> => {
    const image = await readImage(await fileOf(bytes.subarray(0, length)))
    return image.voxels.all()
  }
  it('is refused where it claims more slices than it can hold', async () => {
    // The same deflated strip of 2000 x 2000 zeros for 2,000 pages: 8 GB of slices in some hundred kilobytes.
    const strip = deflateSync(new Uint8Array(4e6))
    const page: TestPage = { tags: [...greyTags(2000, 2000, { compression: 8 }), [273, 4, [0]]], blocks: [strip] }
    const shared = buildTiff([page])
    const path = await fileOf(shared)
    expect((await errorOf(readImage(path).then((image) => image.voxels.all()))).code).toBe('bad-file')
  })
})

describe('a region', () => {
  it('is an image of its own', async () => {
    const path = await fileOf(buildTiff([greyPage(6, 5, ramp)]))
    const region = { level: 0, x: 2, y: 1, width: 3, height: 2 }
    const image = await readImage(path, { selection: { region } })
    expect(image).toMatchObject({ kind: 'image', dims: [3, 2, 1] })
    expect([...(await image.voxels.all())]).toEqual([8, 9, 10, 14, 15, 16])
    expect((await readImageInfo(path, { selection: { region } })).dims).toEqual([3, 2, 1, 1])
    const outside = { ...region, width: 5 }
    expect((await errorOf(readImage(path, { selection: { region: outside } }))).code).toBe('bad-request')
    expect((await errorOf(readImage(path, { selection: { region: { ...region, level: 3 } } }))).code).toBe(
      'bad-request',
    )
  })
  it('of a level that was made is the mean of four pixels, of fewer at the edge', async () => {
    const [width, height] = [1027, 515]
    const path = await fileOf(buildTiff([greyPage(width, height, (i) => (i * 37) % 251)]))
    const tiled = await openTiled(path)
    expect(tiled.levels.map((level) => [level.width, level.height])).toEqual([
      [1027, 515],
      [514, 258],
      [257, 129],
    ])
    const at = (x: number, y: number): number => ((Math.min(y, height - 1) * width + Math.min(x, width - 1)) * 37) % 251
    const mean = (x: number, y: number): number =>
      Math.round((at(2 * x, 2 * y) + at(2 * x + 1, 2 * y) + at(2 * x, 2 * y + 1) + at(2 * x + 1, 2 * y + 1)) / 4)
    const whole = await tiled.region(1, { x: 0, y: 0, width: 514, height: 258 })
    let wrong = 0
    whole.data.forEach((value, i) => {
      if (value !== mean(i % 514, Math.floor(i / 514))) wrong++
    })
    expect(wrong).toBe(0)
    const tile = await tiled.tile(1, 1, 0)
    expect([tile.width, tile.height]).toEqual([2, 258])
    expect(tile.data[0]).toBe(mean(512, 0))
    expect((await tiled.tile(2, 0, 0)).width).toBe(257)
    await tiled.close()
  })
})

describe('masks', () => {
  it('written as a stack are read as they were', async () => {
    const pages = [0, 1, 2].map((k) => ({ data: Uint8Array.from({ length: 30 }, (_, i) => (i + k) % 5) }))
    const path = join(folder.path, 'mask.tif')
    await writeTiffStack(path, pages, 6, 5, { palette: [0, 0, 0, 255, 0, 0], spacing: [0.5, 0.25, 2] })
    const mask = await readTiffIndices(path)
    expect(mask.dims).toEqual([6, 5, 3])
    expect([...mask.labels]).toEqual(pages.flatMap(({ data }) => [...data]))
    expect([...(mask.palette ?? [])].slice(0, 6)).toEqual([0, 0, 0, 255, 0, 0])
    expect(mask.spacing).toEqual([0.5, 0.25, 2])
    const rgb = (...pixel: number[]): TestPage => ({
      tags: [...greyTags(1, 1, { photometric: 2 }).filter(([tag]) => tag !== 277), [277, 3, [3]]],
      blocks: [Uint8Array.from(pixel)],
    })
    expect((await errorOf(readTiffIndices(await fileOf(buildTiff([rgb(1, 2, 3)]))))).message).toMatch(/colour/)
    expect([...(await readTiffIndices(await fileOf(buildTiff([rgb(7, 7, 7)])))).labels]).toEqual([7])
  })
})
