import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CodedError } from '../../core/contract/errors.ts'
import { openTiled, readImage, readImageInfo } from '../index.ts'
import { temporaryFolder, testData } from '../testing/folders.ts'
import { findPython, runPython } from '../testing/peer.ts'

const libvips = testData('slides', 'libvips')
const openslide = testData('slides', 'openslide-python')

describe.skipIf(libvips === null || openslide === null)('slides of other projects', () => {
  const vipsFile = (name: string): string => join(libvips ?? '', name)
  const slideFile = (name: string): string => join(openslide ?? '', name)
  const valuesOf = async (path: string, ...indices: number[]): Promise<(number | undefined)[]> => {
    const data = await (await readImage(path)).voxels.all()
    return indices.map((i) => data[i])
  }

  it('have the values that the tests of libvips expect', async () => {
    expect(await valuesOf(vipsFile('1bit.tif'), 127, 128)).toEqual([0, 255])
    expect(await valuesOf(vipsFile('2bit.tif'), 127, 128)).toEqual([85, 170])
    expect(await valuesOf(vipsFile('4bit.tif'), 127, 128)).toEqual([119, 136])
    for (const bits of [1, 2, 4]) {
      const info = await readImageInfo(vipsFile(`${bits}bit.tif`))
      expect(info).toMatchObject({ dims: [256, 4, 1, 1], datatype: 'uint8', channels: 1, spacingKnown: false })
    }
  })
  it('have the dimensions that their metadata state', async () => {
    expect(await readImageInfo(vipsFile('multi-channel-z-series.ome.tif'))).toMatchObject({
      format: 'ome-tiff',
      dims: [439, 167, 5, 1],
      channels: 3,
      datatype: 'int8',
      byteOrder: 'big',
      spacingKnown: false,
      warnings: [],
    })
    const svs = await readImageInfo(vipsFile('CMU-1-Small-Region.svs'))
    expect(svs).toMatchObject({ format: 'svs', dims: [2220, 2967, 1, 1], channels: 3, levels: 1, tiled: false })
    expect(svs.spacing.slice(0, 2)).toEqual([0.000499, 0.000499])
    expect(await readImageInfo(slideFile('boxes.tiff'))).toMatchObject({ dims: [300, 250, 1, 1], levels: 4 })
    const boxes = await openTiled(slideFile('boxes.tiff'))
    expect(boxes.levels.map(({ width, height }) => [width, height])).toEqual([
      [300, 250],
      [150, 125],
      [75, 62],
      [37, 31],
    ])
    await boxes.close()
  })
  it('that OpenSlide cannot read are refused in a sentence', async () => {
    for (const name of ['unopenable.tiff', 'unreadable.svs']) {
      const error: unknown = await readImage(slideFile(name)).then(
        () => null,
        (thrown: unknown) => thrown,
      )
      expect(error).toBeInstanceOf(CodedError)
      expect(String(error)).toMatch(new RegExp(`${name} [^\\n]+\\.$`))
    }
  })

  const peer = findPython(['PIL', 'numpy', 'tifffile'])
  it.skipIf(!peer.available)('have the pixels that Pillow and tifffile read', { timeout: 60_000 }, async () => {
    const script = `
import sys, json, numpy as np, tifffile
from PIL import Image
folder = sys.argv[1]
out = {n: np.array(Image.open(folder + '/' + n).convert('RGB')).ravel().tolist() for n in sys.argv[2:]}
out['ome'] = tifffile.imread(folder + '/multi-channel-z-series.ome.tif').ravel().tolist()
print(json.dumps(out))
`
    const names = ['ojpeg-strip.tif', 'ojpeg-tile.tif', 'subsampled.tif', 'sample.tif']
    const truth = runPython(peer, script, [libvips ?? '', ...names]) as Record<string, number[]>
    for (const name of names) {
      const data = await (await readImage(vipsFile(name))).voxels.all()
      const expected = truth[name] ?? []
      expect(data.length, name).toBe(expected.length)
      let largest = 0
      let sum = 0
      data.forEach((value, i) => {
        const by = Math.abs(value - (expected[i] ?? NaN))
        largest = Math.max(largest, by)
        sum += by
      })
      // The chroma of old JPEG is spread smoothly here and repeated there; the others differ by rounding.
      const isOld = name.startsWith('ojpeg')
      expect(sum / data.length, name).toBeLessThan(isOld ? 2 : 0.6)
      if (!isOld) expect(largest, name).toBeLessThanOrEqual(2)
    }
    const planes = truth.ome ?? []
    const planeSize = 439 * 167
    for (const channel of [0, 1, 2]) {
      const image = await readImage(vipsFile('multi-channel-z-series.ome.tif'), { selection: { channel } })
      const data = await image.voxels.all()
      expect(data.length).toBe(5 * planeSize)
      // tifffile gives channels, then slices.
      const expected = planes.slice(channel * 5 * planeSize, (channel + 1) * 5 * planeSize)
      expect(
        Buffer.compare(Buffer.from(Int8Array.from(data).buffer), Buffer.from(Int8Array.from(expected).buffer)),
      ).toBe(0)
      await image.voxels.close()
    }
  })

  const hasVips = spawnSync('vips', ['--version'], { stdio: 'ignore' }).status === 0
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  beforeAll(async () => {
    folder = await temporaryFolder()
  })
  afterAll(() => folder.remove())

  it.skipIf(!hasVips)('have the pixels that OpenSlide reads', { timeout: 60_000 }, async () => {
    const target = join(folder.path, 'slide.png')
    const source = vipsFile('CMU-1-Small-Region.svs')
    // Without OpenSlide vips takes the first page as a plain TIFF, which is the same.
    const { status, stderr } = spawnSync('vips', ['extract_band', source, target, '0', '--n', '3'], {
      encoding: 'utf8',
    })
    expect(status, stderr).toBe(0)
    const expected = await (await readImage(target)).voxels.all()
    const data = await (await readImage(source)).voxels.all()
    expect(Buffer.compare(Buffer.from(data.buffer), Buffer.from(expected.buffer))).toBe(0)
  })
})
