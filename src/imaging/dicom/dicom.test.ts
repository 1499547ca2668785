import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { deflateRawSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ImageSelection } from '../../core/contract/schemas.ts'
import { voxelToWorld } from '../../core/geometry/index.ts'
import { imageFiles, readImage, readImageInfo } from '../registry.ts'
import { temporaryFolder } from '../testing/folders.ts'
import type { ImageVolume } from '../types.ts'
import { listSeries } from './index.ts'
import {
  dataSet,
  dicomBytes,
  encapsulated,
  metaBytes,
  sliceElements,
  type TestElement,
  type TestSlice,
} from './testing/dicomFile.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
const at = (...parts: string[]): string => join(folder.path, ...parts)

beforeEach(async () => {
  folder = await temporaryFolder()
})
afterEach(async () => {
  await folder.remove()
})

async function write(name: string, bytes: Uint8Array): Promise<string> {
  await writeFile(at(name), bytes)
  return at(name)
}

async function writeSlices(
  slices: readonly TestSlice[],
  name: (i: number) => string = (i) => `${i}.dcm`,
): Promise<void> {
  for (const [i, slice] of slices.entries()) await write(name(i), dicomBytes(sliceElements(slice)))
}

/** The image, with its voxels, closed. */
async function open(path: string, selection?: ImageSelection): Promise<ImageVolume & { data: number[] }> {
  const image = await readImage(path, { selection })
  try {
    return { ...image, data: [...(await image.voxels.all())] }
  } finally {
    await image.voxels.close()
  }
}

async function refusal(path: string, selection?: ImageSelection): Promise<string> {
  try {
    await open(path, selection)
  } catch (error) {
    expect(error).toMatchObject({ name: 'CodedError', code: 'bad-file' })
    return (error as Error).message
  }
  throw new Error('was not refused')
}

/** Six values that tell which slice they are of. */
const six = (k: number): number[] => Array.from({ length: 6 }, (_, i) => 10 * k + i)

describe('a DICOM series', () => {
  it('is sorted by position along the normal, whatever the names and numbers of its files say', async () => {
    const heights = [7.5, 0, 5, 2.5]
    await writeSlices(heights.map((z, i) => ({ position: [-10, 20, z], number: i, values: six(z / 2.5) })))
    const { info, data, kind, source } = await open(folder.path)
    expect(data).toEqual([0, 1, 2, 3].flatMap(six))
    expect(info.dims).toEqual([3, 2, 4, 1])
    expect(info.spacing).toEqual([1, 2, 2.5])
    // Left and back in the file are negative right and front.
    expect(info.affine).toEqual([
      [-1, 0, 0, 10],
      [0, -2, 0, -20],
      [0, 0, 2.5, 0],
      [0, 0, 0, 1],
    ])
    expect(info.orientation).toBe('LPS')
    expect(info).toMatchObject({ format: 'dicom', datatype: 'uint16', gaps: false, warnings: [] })
    expect([kind, source]).toEqual(['volume', { kind: 'volume', path: folder.path }])
    expect(await imageFiles(folder.path)).toEqual([0, 1, 2, 3].map((i) => at(`${i}.dcm`)))
  })

  it('lies where an oblique orientation puts it', async () => {
    const [c, s] = [Math.cos(0.3), Math.sin(0.3)]
    // Rows turned about the patient's long axis; the normal stays along it, slices are 3 mm apart.
    const orientation = [c, s, 0, -s, c, 0]
    await writeSlices([0, 1, 2].map((k) => ({ position: [5, 6, 7 + 3 * k], orientation, spacing: [2, 0.5] })))
    const { affine } = await open(folder.path)
    if (affine === null) throw new Error('no affine')
    // Two columns, one row, one slice on: 2 * 0.5 mm along a row, 2 mm along a column.
    const lps = [5 + 2 * 0.5 * c - 2 * s, 6 + 2 * 0.5 * s + 2 * c, 7 + 3]
    const [x, y, z] = voxelToWorld(affine, [2, 1, 1])
    expect(x).toBeCloseTo(-(lps[0] ?? 0), 9)
    expect(y).toBeCloseTo(-(lps[1] ?? 0), 9)
    expect(z).toBeCloseTo(lps[2] ?? 0, 9)
  })

  it('can be told by one of its files, and holds only files of the same series', async () => {
    await writeSlices([0, 1, 2].map((k) => ({ position: [0, 0, k], values: six(k) })))
    await write('other.dcm', dicomBytes(sliceElements({ series: '9.9', columns: 5, rows: 1 })))
    const { data, dims } = await open(at('1.dcm'))
    expect(dims).toEqual([3, 2, 3])
    expect(data).toEqual([0, 1, 2].flatMap(six))
    expect((await readImageInfo(at('other.dcm'))).dims).toEqual([5, 1, 1, 1])
  })

  it('passes over what is no picture', async () => {
    await writeSlices([0, 1].map((k) => ({ position: [0, 0, k], values: six(k) })))
    await write('DICOMDIR', dicomBytes([[0x00080060, 'CS', 'X']]))
    await write('report.dcm', dicomBytes([[0x00080060, 'CS', 'SR']]))
    await write('notes.txt', Buffer.from('nothing to see'))
    await write('empty', Buffer.alloc(0))
    await mkdir(at('deeper'))
    await write(join('deeper', '9.dcm'), dicomBytes(sliceElements({ position: [0, 0, 9] })))
    const { info } = await open(folder.path)
    expect(info.dims).toEqual([3, 2, 2, 1])
    expect(info.warnings.filter((said) => !said.includes('empty'))).toEqual([])
    expect(await refusal(at('report.dcm'))).toMatch(/^report.dcm is a DICOM file without a picture; choose/)
  })

  it('lists what is in a folder, the largest first, and opens what is chosen', async () => {
    await writeSlices(
      [0, 1, 2].map((k) => ({ position: [0, 0, k], series: '1.1', values: six(k) })),
      (i) => `a${i}`,
    )
    await writeSlices(
      [0, 1].map((k) => ({ position: [0, 0, k], series: '2.2', values: six(5 + k) })),
      (i) => `b${i}`,
    )
    // Localizers in the same series: of another direction, and of another size.
    await write('c0', dicomBytes(sliceElements({ series: '1.1', orientation: [0, 1, 0, 0, 0, -1] })))
    await write('c1', dicomBytes(sliceElements({ series: '1.1', columns: 2, rows: 2 })))
    const listed = await listSeries(folder.path)
    expect(listed.map(({ id, images, dims }) => [id, images, dims])).toEqual([
      ['1.1', 3, [3, 2, 3, 1]],
      ['2.2', 2, [3, 2, 2, 1]],
      ['1.1#2', 1, [3, 2, 1, 1]],
      ['1.1#3', 1, [2, 2, 1, 1]],
    ])
    expect(listed[0]).toMatchObject({ description: 'A series', modality: 'CT' })
    const largest = await open(folder.path)
    expect(largest.dims[2]).toBe(3)
    expect(largest.warnings).toEqual(['There are 4 series; the largest is used (CT, 3 images).'])
    const second = await open(folder.path, { series: '2.2' })
    expect([second.data, second.warnings]).toEqual([[...six(5), ...six(6)], []])
    expect(await imageFiles(folder.path, { selection: { series: '2.2' } })).toEqual([at('b0'), at('b1')])
    expect(await refusal(folder.path, { series: '4.4' })).toMatch(/does not hold the series that was chosen/)
  })

  it('is put together without a series UID, which careless removal of names leaves out', async () => {
    await writeSlices([0, 1].map((k) => ({ position: [0, 0, k], series: '' })))
    expect((await listSeries(folder.path)).map(({ id, images }) => [id, images])).toEqual([['unnamed-0', 2]])
  })

  it('falls into frames where every place has the same number of images', async () => {
    const slices = [0, 1, 2].flatMap((k) =>
      [0, 1].map((t): TestSlice => ({ position: [0, 0, k], number: 1 + t * 3 + k, values: six(k + 5 * t) })),
    )
    await writeSlices(slices)
    const first = await open(folder.path)
    expect(first.info).toMatchObject({ dims: [3, 2, 3, 2], frames: 2 })
    expect(first.data).toEqual([0, 1, 2].flatMap(six))
    expect(first.warnings).toEqual(['There are 2 frames at the same place; the first one is used.'])
    const second = await open(folder.path, { frame: 1 })
    expect([second.data, second.warnings]).toEqual([[5, 6, 7].flatMap(six), []])
    expect(await refusal(folder.path, { frame: 2 })).toMatch(/has 2 frames, so there is none with the number 3/)
  })

  it('falls into acquisitions that are volumes by themselves', async () => {
    const acquisition = (number: number): TestElement[] => [[0x00200012, 'IS', String(number)]]
    const whole = [0, 1, 2].map((k): TestSlice => ({ position: [0, 0, k], values: six(k), more: acquisition(1) }))
    const part = [1, 2].map((k): TestSlice => ({ position: [0, 0, k], values: six(7 + k), more: acquisition(2) }))
    await writeSlices([...whole, ...part])
    expect((await listSeries(folder.path)).map(({ id, images }) => [id, images])).toEqual([
      ['1.2.3', 3],
      ['1.2.3#2', 2],
    ])
    expect((await open(folder.path, { series: '1.2.3#2' })).data).toEqual([8, 9].flatMap(six))
  })

  it('says what it leaves out of images at one place', async () => {
    await writeSlices([0, 1, 2].map((k) => ({ position: [0, 0, k], number: k, values: six(k) })))
    await write('again', dicomBytes(sliceElements({ position: [0, 0, 1], number: 9, values: six(9) })))
    const { data, warnings } = await open(folder.path)
    expect(data).toEqual([0, 1, 2].flatMap(six))
    expect(warnings).toEqual([
      '1 of 4 images lie where another one of the series lies; the first at each place is used.',
    ])
    await rm(at('again'))
    await writeFile(at('copy'), await readFile(at('1.dcm')))
    const copied = await open(folder.path)
    expect(copied.data).toEqual([0, 1, 2].flatMap(six))
    expect(copied.warnings).toEqual(['1 images are there twice; the copies are left out.'])
  })

  it('warns of missing slices and says where', async () => {
    await writeSlices([0, 3, 6, 12, 15].map((z) => ({ position: [0, 0, z] })))
    const { info, affine } = await open(folder.path)
    expect(info.gaps).toBe(true)
    expect(info.warnings).toEqual([
      'The slices are 3 mm apart, but 6 mm between slices 3 and 4: slices are missing, so places and volumes beyond are not exact.',
    ])
    // The slices before the gap are where they were.
    expect(affine?.[2]).toEqual([0, 0, 3, 0])
  })

  it('takes rounded positions for even ones', async () => {
    await writeSlices([0, 1.3, 2.7, 4, 5.3, 6.7, 8].map((z) => ({ position: [0, 0, z] })))
    const { info } = await open(folder.path)
    expect(info.warnings).toEqual([])
    expect(info.spacing[2]).toBeCloseTo(8 / 6, 9)
  })

  it('keeps the shear of a tilted gantry and says so', async () => {
    await writeSlices([0, 1, 2, 3].map((k) => ({ position: [0, k, 2 * k] })))
    const { affine, warnings } = await open(folder.path)
    expect(affine?.map((row) => row[2])).toEqual([0, -1, 2, 0])
    expect(warnings).toEqual([
      'The slices are shifted against each other (a gantry tilted by 26.6°): the volume is sheared.',
    ])
  })

  it('warns of slices beside the line of the others', async () => {
    await writeSlices([0, 1, 2, 3].map((k) => ({ position: [k === 2 ? 1 : 0, 0, 2 * k] })))
    const { info } = await open(folder.path)
    expect(info.gaps).toBe(true)
    expect(info.warnings).toEqual([
      'The slices do not lie in one line (up to 1 mm beside it), so places are not exact.',
    ])
  })

  it('has no affine without positions, and is in the order of its numbers', async () => {
    await writeSlices([2, 0, 1].map((k) => ({ position: null, orientation: null, number: 10 + k, values: six(k) })))
    const { data, affine, warnings, spacing } = await open(folder.path)
    expect([data, affine, spacing]).toEqual([[0, 1, 2].flatMap(six), null, [1, 2, 1]])
    expect(warnings).toEqual(['The files do not say where their images lie; they are in the order of their numbers.'])
  })

  it('names files that it leaves out because they are damaged', async () => {
    await writeSlices([0, 1].map((k) => ({ position: [0, 0, k] })))
    await write('cut.dcm', dicomBytes(sliceElements({ position: [0, 0, 2] })).subarray(0, -4))
    const { info } = await open(folder.path)
    expect(info.dims[2]).toBe(2)
    expect(info.warnings).toEqual(['1 DICOM files could not be read and are left out: cut.dcm.'])
    expect(await refusal(at('cut.dcm'))).toBe('cut.dcm is cut off; copy or download it again.')
  })

  it('tells nothing of the patient', async () => {
    await writeSlices([0, 1].map((k) => ({ position: [0, 0, k] })))
    const image = await open(folder.path)
    const told = JSON.stringify([image.info, image.source, image.warnings, await listSeries(folder.path)])
    expect(told).not.toMatch(/secret/i)
  })
})

describe('values', () => {
  it('keep slope and intercept beside the stored numbers', async () => {
    await writeSlices([{ slope: 2, inter: -1024, values: [0, 1, 2, 3, 4, 4095] }])
    const { data, slope, inter, voxelType } = await open(folder.path)
    expect([data, slope, inter, voxelType]).toEqual([[0, 1, 2, 3, 4, 4095], 2, -1024, 'uint16'])
  })

  it('are scaled where slices differ in how', async () => {
    await writeSlices([0, 1].map((k) => ({ position: [0, 0, k], slope: k + 1, inter: 0.5 * k, values: six(0) })))
    const { data, slope, inter, voxelType, warnings } = await open(folder.path)
    expect(data).toEqual([0, 1, 2, 3, 4, 5, 0.5, 2.5, 4.5, 6.5, 8.5, 10.5])
    expect([slope, inter, voxelType]).toEqual([1, 0, 'float32'])
    expect(warnings).toEqual([expect.stringContaining('scaled differently')])
  })

  it('are cut out of their words, with their sign', async () => {
    const words = [0xf7ff, 0x0800, 0xafff, 0x1001, 0, 0x07ff]
    await writeSlices([{ bitsStored: 12, signed: true, values: words }])
    expect((await open(folder.path)).data).toEqual([2047, -2048, -1, 1, 0, 2047])
    await writeSlices([{ bitsStored: 12, values: words }])
    expect((await open(folder.path)).data).toEqual([2047, 2048, 4095, 1, 0, 2047])
    // 12 bits at the top of the word.
    await writeSlices([{ bitsStored: 12, highBit: 15, values: words }])
    expect((await open(folder.path)).data).toEqual([0xf7f, 0x080, 0xaff, 0x100, 0, 0x07f])
  })

  it.each([
    ['little-endian with implicit VRs', { transferSyntax: '1.2.840.10008.1.2', implicit: true }],
    ['big-endian', { transferSyntax: '1.2.840.10008.1.2.2', bigEndian: true }],
    ['without a preamble', { bare: true }],
    ['without a preamble and with implicit VRs', { bare: true, implicit: true }],
  ])('are the same %s', async (_, options) => {
    const bytes = Buffer.from(Uint16Array.from([1, 2, 300, 4, 5, 65_535]).buffer)
    if ('bigEndian' in options) bytes.swap16()
    const elements = sliceElements({ slope: 3, more: [[0x7fe00010, 'OW', bytes]] })
    const { data, info } = await open(await write('a.dcm', dicomBytes(elements, options)))
    expect(data).toEqual([1, 2, 300, 4, 5, 65_535])
    expect(info).toMatchObject({ slope: 3, dims: [3, 2, 1, 1], byteOrder: 'bigEndian' in options ? 'big' : 'little' })
  })

  it('are the same deflated', async () => {
    const body = dataSet(sliceElements({ values: six(4) }), { bigEndian: false, implicit: false })
    const path = await write('a.dcm', Buffer.concat([metaBytes('1.2.840.10008.1.2.1.99'), deflateRawSync(body)]))
    const { data, info } = await open(path)
    expect([data, info.compressed]).toEqual([six(4), true])
    await writeFile(path, (await readFile(path)).subarray(0, -20))
    expect(await refusal(path)).toMatch(/^a.dcm (is cut off|has a damaged DICOM header)/)
  })

  it('of 8 bits are put in order again in big-endian words', async () => {
    const eight: TestElement[] = [
      [0x00280100, 'US', [8]],
      [0x00280101, 'US', [8]],
      [0x00280102, 'US', [7]],
      [0x00280011, 'US', [5]],
      [0x00280010, 'US', [1]],
      [0x7fe00010, 'OW', Uint8Array.from([2, 1, 4, 3, 0, 5])],
    ]
    const bytes = dicomBytes(sliceElements({ more: eight }), { transferSyntax: '1.2.840.10008.1.2.2', bigEndian: true })
    expect((await open(await write('a.dcm', bytes))).data).toEqual([1, 2, 3, 4, 5])
  })

  it('can be decimal numbers', async () => {
    const numbers = Float32Array.from([0.5, -1, 1e10, 0, 3.25, 7])
    const elements = sliceElements({ more: [[0x00280100, 'US', [32]]] }).filter(([tag]) => tag !== 0x7fe00010)
    elements.push([0x7fe00008, 'OF', new Uint8Array(numbers.buffer)])
    const { data, voxelType } = await open(await write('a.dcm', dicomBytes(elements)))
    expect([data, voxelType]).toEqual([[...numbers], 'float32'])
  })

  it('can be single bits, frame after frame without gaps', async () => {
    const bits: TestElement[] = [
      [0x00280008, 'IS', '3'],
      [0x00280100, 'US', [1]],
      [0x00280101, 'US', [1]],
      [0x00280102, 'US', [0]],
      // 18 bits, the lowest of each byte first.
      [0x7fe00010, 'OB', Uint8Array.from([0b1010_0111, 0b0000_1111, 0b10])],
    ]
    const elements = sliceElements({ position: null, orientation: null, more: bits })
    const { data, dims, kind } = await open(await write('a.dcm', dicomBytes(elements)))
    expect([dims, kind]).toEqual([[3, 2, 3], 'volume'])
    expect(data).toEqual([1, 1, 1, 0, 0, 1, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 1])
  })

  it('are unpacked from RLE', async () => {
    // Segment of high bytes: six times 1. Segment of low bytes: three of their own, then three times 9.
    const segments = [Buffer.from([256 - 5, 1]), Buffer.from([2, 7, 8, 0xff, 256 - 2, 9, 0x80])]
    const header = Buffer.alloc(64)
    ;[2, 64, 64 + (segments[0]?.length ?? 0)].forEach((value, i) => header.writeUInt32LE(value, 4 * i))
    const elements = sliceElements({}).filter(([tag]) => tag !== 0x7fe00010)
    const head = dicomBytes(elements, { transferSyntax: '1.2.840.10008.1.2.5' })
    const path = await write('a.dcm', Buffer.concat([head, encapsulated([Buffer.concat([header, ...segments])])]))
    expect((await open(path)).data).toEqual([0x107, 0x108, 0x1ff, 0x109, 0x109, 0x109])
    const short = Buffer.concat([header, Buffer.from([256 - 5, 1, 2, 7])])
    await writeFile(path, Buffer.concat([head, encapsulated([short])]))
    expect(await refusal(path)).toBe('a.dcm holds compressed pixels that are damaged; copy or download it again.')
  })

  it('that stand for white where they are low are kept, and that is said', async () => {
    await writeSlices([{ more: [[0x00280004, 'CS', 'MONOCHROME1']] }])
    const { data, warnings } = await open(folder.path)
    expect(data).toEqual([0, 1, 2, 3, 4, 5])
    expect(warnings).toEqual([expect.stringContaining('MONOCHROME1')])
  })
})

describe('colours', () => {
  const picture = (more: readonly TestElement[]): TestElement[] =>
    sliceElements({
      position: null,
      orientation: null,
      columns: 2,
      rows: 1,
      more: [
        [0x00280002, 'US', [3]],
        [0x00280100, 'US', [8]],
        [0x00280101, 'US', [8]],
        [0x00280102, 'US', [7]],
        ...more,
      ],
    })

  it.each([
    ['interleaved', 0, [10, 20, 30, 40, 50, 60]],
    ['in planes', 1, [10, 40, 20, 50, 30, 60]],
  ])('are read %s', async (_, planar, bytes) => {
    const elements = picture([
      [0x00280004, 'CS', 'RGB'],
      [0x00280006, 'US', [planar]],
      [0x7fe00010, 'OB', Uint8Array.from(bytes)],
    ])
    const { data, channels, kind, info, source } = await open(await write('a.dcm', dicomBytes(elements)))
    expect([data, channels, kind]).toEqual([[10, 20, 30, 40, 50, 60], 3, 'image'])
    expect([info.datatype, info.affine, source.kind]).toEqual(['rgb24', null, 'raster'])
  })

  it('are made of luminance and colour difference', async () => {
    // Pure red: Y 76.245, Cb 84.97, Cr 255.5; grey has no difference.
    const elements = picture([
      [0x00280004, 'CS', 'YBR_FULL'],
      [0x7fe00010, 'OB', Uint8Array.from([76, 85, 255, 99, 128, 128])],
    ])
    const { data } = await open(await write('a.dcm', dicomBytes(elements)))
    expect(data).toEqual([254, 0, 0, 99, 99, 99])
    const halved = picture([
      [0x00280004, 'CS', 'YBR_FULL_422'],
      [0x7fe00010, 'OB', Uint8Array.from([76, 99, 128, 128])],
    ])
    expect((await open(await write('b.dcm', dicomBytes(halved)))).data).toEqual([76, 76, 76, 99, 99, 99])
  })

  it('are looked up in a palette', async () => {
    const table = (...values: number[]): Uint8Array =>
      new Uint8Array(Uint16Array.from(values.map((v) => v * 256)).buffer)
    const elements = picture([
      [0x00280002, 'US', [1]],
      [0x00280004, 'CS', 'PALETTE COLOR'],
      ...[0x00281101, 0x00281102, 0x00281103].map((tag): TestElement => [tag, 'US', [3, 4, 16]]),
      [0x00281201, 'OW', table(1, 2, 3)],
      [0x00281202, 'OW', table(11, 12, 13)],
      [0x00281203, 'OW', table(21, 22, 23)],
      // The first colour is that of 4, and of all below; the last that of 6 and of all above.
      [0x7fe00010, 'OB', Uint8Array.from([5, 200])],
    ])
    const { data, channels } = await open(await write('a.dcm', dicomBytes(elements)))
    expect([data, channels]).toEqual([[2, 12, 22, 3, 13, 23], 3])
  })
})

describe('files of several frames', () => {
  const values = [3, 1, 2].flatMap(six)
  const item = (...elements: TestElement[]): TestElement[] => elements

  it('take the place of each frame from its own group, and what is shared from the shared one', async () => {
    const heights = [9, 3, 6]
    const elements = sliceElements({
      position: null,
      orientation: null,
      values,
      more: [
        [0x00280008, 'IS', '3'],
        [
          0x52009229,
          'SQ',
          [
            item(
              [0x00289110, 'SQ', [item([0x00280030, 'DS', '4\\0.5'])]],
              [0x00209116, 'SQ', [item([0x00200037, 'DS', '1\\0\\0\\0\\1\\0'])]],
              [0x00289145, 'SQ', [item([0x00281052, 'DS', '-5'], [0x00281053, 'DS', '2'])]],
            ),
          ],
        ],
        [0x52009230, 'SQ', heights.map((z) => item([0x00209113, 'SQ', [item([0x00200032, 'DS', `1\\2\\${z}`])]]))],
      ],
    })
    for (const implicit of [false, true]) {
      const options = implicit ? { implicit, transferSyntax: '1.2.840.10008.1.2' } : {}
      const { data, info } = await open(await write('a.dcm', dicomBytes(elements, options)))
      expect(data).toEqual([1, 2, 3].flatMap(six))
      expect(info).toMatchObject({ dims: [3, 2, 3, 1], spacing: [0.5, 4, 3], slope: 2, inter: -5, warnings: [] })
      expect(info.affine?.map((row) => row[3])).toEqual([-1, -2, 3, 1])
    }
  })

  it('without groups follow along the normal by the distance between slices', async () => {
    const more: TestElement[] = [
      [0x00280008, 'IS', '3'],
      [0x00180088, 'DS', '1.5'],
    ]
    const { data, affine, warnings } = await open(
      await write('a.dcm', dicomBytes(sliceElements({ position: [0, 0, 10], values, more }))),
    )
    expect([data, affine?.[2]]).toEqual([values, [0, 0, 1.5, 10]])
    expect(warnings).toEqual([expect.stringContaining('states the place of its first slice')])
  })

  it('without a place are a stack in the order of the file', async () => {
    const elements = sliceElements({ position: null, orientation: null, values, more: [[0x00280008, 'IS', '3']] })
    const { data, affine, kind, dims } = await open(await write('a.dcm', dicomBytes(elements)))
    expect([data, affine, kind, dims]).toEqual([values, null, 'volume', [3, 2, 3]])
  })

  it('at one place are frames', async () => {
    const elements = sliceElements({ values, more: [[0x00280008, 'IS', '3']] })
    const { data, info } = await open(await write('a.dcm', dicomBytes(elements)), { frame: 2 })
    expect([data, info.dims]).toEqual([six(2), [3, 2, 1, 3]])
  })

  it('that are tiles of a slide are refused; a single one is cut to its size', async () => {
    const slide: TestElement[] = [
      [0x00080016, 'UI', '1.2.840.10008.5.1.4.1.1.77.1.6'],
      [0x00480006, 'UL', [2]],
      [0x00480007, 'UL', [1]],
    ]
    const one = await open(await write('one.dcm', dicomBytes(sliceElements({ values: six(1), more: slide }))))
    expect([one.data, one.dims, one.kind]).toEqual([[10, 11], [2, 1, 1], 'image'])
    const tiles = sliceElements({ values, more: [...slide, [0x00280008, 'IS', '3']] })
    expect(await refusal(await write('tiles.dcm', dicomBytes(tiles)))).toMatch(
      /^tiles.dcm is a whole-slide image cut into tiles; convert it to a pyramidal TIFF/,
    )
  })
})

describe('what cannot be opened', () => {
  it.each([
    ['an MPEG video', '1.2.840.10008.1.2.4.102', /is an MPEG video; convert/],
    ['JPEG XL', '1.2.840.10008.1.2.4.110', /is compressed as JPEG XL; convert/],
    ['a syntax that nobody knows', '1.2.3.4.5', /not known here \(1\.2\.3\.4\.5\); convert/],
  ])('is named: %s', async (_, transferSyntax, sentence) => {
    const head = dicomBytes(
      sliceElements({}).filter(([tag]) => tag !== 0x7fe00010),
      { transferSyntax },
    )
    const path = await write('a.dcm', Buffer.concat([head, encapsulated([Buffer.alloc(10)])]))
    expect(await refusal(path)).toMatch(sentence)
  })

  it.each<[string, TestElement, RegExp]>([
    ['frames beyond all measure', [0x00280008, 'IS', '99999999'], /states 99999999 frames, which cannot be/],
    ['more frames than there are bytes', [0x00280008, 'IS', '4'], /is cut off; copy or download it again/],
    ['no size', [0x00280010, 'US', [0]], /states no size/],
    ['a size beyond the file', [0x00280010, 'US', [4000]], /is cut off/],
    ['frames larger than can be shown', [0x00280011, 'US', [65_535]], /is cut off|too large/],
    ['two samples', [0x00280002, 'US', [2]], /has 2 samples a pixel/],
    ['samples of 12 bits', [0x00280100, 'US', [12]], /has samples of 12 bits/],
  ])('says why: %s', async (_, element, sentence) => {
    const path = await write('a.dcm', dicomBytes(sliceElements({ more: [element] })))
    expect(await refusal(path)).toMatch(sentence)
  })

  it('is a folder without pictures', async () => {
    expect(await refusal(folder.path)).toMatch(/is a folder without DICOM pictures; choose the folder/)
  })

  it('is compressed data that say another size than the file', async () => {
    const jpeg = Buffer.from([
      0xff, 0xd8, 0xff, 0xc3, 0, 11, 16, 0x40, 0, 0x40, 0, 1, 1, 0x11, 0, 0xff, 0xda, 0, 8, 1, 1, 0, 1, 0, 0, 0,
    ])
    const head = dicomBytes(
      sliceElements({}).filter(([tag]) => tag !== 0x7fe00010),
      { transferSyntax: '1.2.840.10008.1.2.4.70' },
    )
    const path = await write('a.dcm', Buffer.concat([head, encapsulated([jpeg])]))
    expect(await refusal(path)).toBe('a.dcm holds compressed pixels that are damaged; copy or download it again.')
  })
})
