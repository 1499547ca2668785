import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { imageFiles, readImage, readImageInfo } from '../index.ts'
import { temporaryFolder } from '../testing/folders.ts'
import { buildTiff, greyPage, greyTags, type TestPage, type TestTag } from './testing/build.ts'
import { errorOf, voxelsOf } from './testing/reading.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(() => folder.remove())

let count = 0
async function fileOf(bytes: Uint8Array, name = `file-${count++}.tif`): Promise<string> {
  const path = join(folder.path, name)
  await writeFile(path, bytes)
  return path
}

describe('what ImageJ says', () => {
  it('makes slices of what has a single directory', async () => {
    const text = 'ImageJ=1.54f\nimages=6\nchannels=2\nslices=3\nhyperstack=true\nunit=micron\nspacing=2.5\n'
    const tags: TestTag[] = [...greyTags(2, 1), [270, 2, text], [282, 5, [2, 1]], [283, 5, [4, 1]]]
    const data = Uint8Array.from({ length: 12 }, (_, i) => i)
    const page = { tags: [...tags, [279, 4, [2]]] as TestTag[], blocks: [data] }
    const path = await fileOf(buildTiff([page]))
    const info = await readImageInfo(path)
    expect(info).toMatchObject({ dims: [2, 1, 3, 1], channels: 2, spacingKnown: true })
    expect(info.channelNames, 'all can be chosen').toEqual(['Channel 1', 'Channel 2'])
    expect(info.spacing.map((mm) => mm * 1000)).toEqual([0.5, 0.25, 2.5])
    expect(await voxelsOf(path)).toEqual([0, 1, 4, 5, 8, 9])
    expect(await voxelsOf(path, { channel: 1 })).toEqual([2, 3, 6, 7, 10, 11])
    expect((await errorOf(readImage(path, { selection: { channel: 2 } }))).code).toBe('bad-request')
  })
})

const ome = (pixels: string, more = ''): string =>
  `<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">${more}<Image ID="Image:0">${pixels}</Image></OME>`

describe('what OME-XML says', () => {
  const pages = (description: string): TestPage[] => [
    greyPage(2, 1, () => 1, [[270, 2, description]]),
    greyPage(2, 1, () => 2),
    greyPage(2, 1, () => 3),
    greyPage(2, 1, () => 4),
  ]
  it('puts pages where it says, with names and distances', async () => {
    const pixels = `<Pixels DimensionOrder="XYCZT" SizeX="2" SizeY="1" SizeZ="2" SizeC="2" SizeT="1" Type="uint8"
      PhysicalSizeX="0.25" PhysicalSizeY="0.25" PhysicalSizeZ="1" PhysicalSizeZUnit="mm">
      <Channel ID="Channel:0:0" Name="a &lt; b"/><Channel ID="Channel:0:1" Name="&#181;"/>
      <TiffData FirstZ="1" FirstC="1" IFD="0"/><TiffData FirstZ="0" FirstC="1" IFD="3"/>
      <TiffData FirstZ="0" FirstC="0" IFD="1"/><TiffData FirstZ="1" FirstC="0" IFD="2"/></Pixels>`
    const path = await fileOf(buildTiff(pages(ome(pixels))))
    const info = await readImageInfo(path)
    expect(info).toMatchObject({ format: 'ome-tiff', dims: [2, 1, 2, 1], channels: 2, channelNames: ['a < b', 'µ'] })
    expect(info.spacing).toEqual([0.00025, 0.00025, 1])
    expect(await voxelsOf(path)).toEqual([2, 2, 3, 3])
    expect(await voxelsOf(path, { channel: 1 })).toEqual([4, 4, 1, 1])
  })
  it('leaves channels without a name, which can be chosen all the same', async () => {
    const pixels = (channels: string): string =>
      ome(
        `<Pixels DimensionOrder="XYCZT" SizeX="2" SizeY="1" SizeZ="2" SizeC="2" SizeT="1">${channels}<TiffData/></Pixels>`,
      )
    const namesOf = async (channels: string): Promise<readonly string[]> =>
      (await readImageInfo(await fileOf(buildTiff(pages(pixels(channels)))))).channelNames
    expect(await namesOf('<Channel ID="Channel:0:0"/><Channel ID="Channel:0:1"/>')).toEqual(['Channel 1', 'Channel 2'])
    expect(await namesOf('<Channel ID="Channel:0:0"/><Channel ID="Channel:0:1" Name="DAPI"/>')).toEqual([
      'Channel 1',
      'DAPI',
    ])
  })
  it('is told apart from the pages where it does not go with them', async () => {
    const pixels = '<Pixels DimensionOrder="XYCZT" SizeX="9" SizeY="1" SizeZ="2" SizeC="2" SizeT="1"/>'
    const path = await fileOf(buildTiff(pages(ome(pixels))))
    expect(await readImageInfo(path)).toMatchObject({ format: 'tiff', dims: [2, 1, 4, 1] })
    expect((await readImageInfo(path)).warnings.join()).toMatch(/OME metadata/)
    const bomb = `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>${ome(pixels)}`
    expect(await readImageInfo(await fileOf(buildTiff(pages(`<OME>&b;</OME>${bomb}`))))).toMatchObject({
      format: 'tiff',
    })
    const huge = '<Pixels DimensionOrder="XYCZT" SizeX="2" SizeY="1" SizeZ="99999999" SizeC="99999" SizeT="1"/>'
    expect(await readImageInfo(await fileOf(buildTiff(pages(ome(huge)))))).toMatchObject({ format: 'tiff' })
  })
  it('can lack planes, which are refused when they are wanted', async () => {
    const pixels = `<Pixels DimensionOrder="XYZCT" SizeX="2" SizeY="1" SizeZ="4" SizeC="2" SizeT="1">
      <TiffData IFD="0" PlaneCount="4"/></Pixels>`
    const path = await fileOf(buildTiff(pages(ome(pixels))))
    expect(await voxelsOf(path)).toEqual([1, 1, 2, 2, 3, 3, 4, 4])
    expect((await errorOf(readImage(path, { selection: { channel: 1 } }))).message).toMatch(/lacks slice 1/)
  })
  it('can speak of several files in one folder, and of none elsewhere', async () => {
    await mkdir(join(folder.path, 'parts'))
    const pixels = (second: string): string =>
      ome(`<Pixels DimensionOrder="XYZCT" SizeX="2" SizeY="1" SizeZ="2" SizeC="1" SizeT="1">
      <TiffData FirstZ="0" IFD="0"><UUID FileName="a.ome.tif">urn:uuid:1</UUID></TiffData>
      <TiffData FirstZ="1" IFD="0"><UUID FileName="${second}">urn:uuid:2</UUID></TiffData></Pixels>`)
    const part = (name: string, value: number, second: string): Promise<string> =>
      fileOf(buildTiff([greyPage(2, 1, () => value, [[270, 2, pixels(second)]])]), join('parts', name))
    const a = await part('a.ome.tif', 5, '../b.ome.tif')
    expect((await errorOf(readImage(a))).message).toMatch(/b\.ome\.tif is missing/)
    const b = await part('b.ome.tif', 6, 'b.ome.tif')
    expect(await voxelsOf(a)).toEqual([5, 5, 6, 6])
    expect(await imageFiles(a)).toEqual([a, b])
    const only = '<OME><BinaryOnly MetadataFile="x.companion.ome" UUID="urn:uuid:1"/></OME>'
    const binary = await fileOf(buildTiff([greyPage(2, 1, () => 1, [[270, 2, only]])]))
    expect((await errorOf(readImage(binary))).message).toMatch(/x\.companion\.ome/)
  })
})

describe('the size of pixels', () => {
  const withResolution = async (unit: number, x: number, y = x): Promise<{ known: boolean; mm: number }> => {
    const tags: TestTag[] = [
      [282, 5, [Math.round(x * 1000), 1000]],
      [283, 5, [Math.round(y * 1000), 1000]],
      [296, 3, [unit]],
    ]
    const info = await readImageInfo(await fileOf(buildTiff([greyPage(2, 2, (i) => i, tags)])))
    return { known: info.spacingKnown, mm: info.spacing[0] }
  }
  it('is believed where it is that of a microscope, not of a printer', async () => {
    expect(await withResolution(3, 20_000)).toEqual({ known: true, mm: 0.0005 })
    expect((await withResolution(2, 50_800)).mm).toBeCloseTo(0.0005, 12)
    for (const dpi of [1, 72, 96, 300, 600, 1200]) expect(await withResolution(2, dpi)).toEqual({ known: false, mm: 1 })
    expect(await withResolution(3, 28.346)).toEqual({ known: false, mm: 1 })
    expect(await withResolution(1, 20_000)).toEqual({ known: false, mm: 1 })
    expect(await withResolution(3, 20_000, 2000)).toEqual({ known: false, mm: 1 })
    expect(await withResolution(3, 0)).toEqual({ known: false, mm: 1 })
  })
})
