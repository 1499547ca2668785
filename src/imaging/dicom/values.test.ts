import { readFile, writeFile } from 'node:fs/promises'
import { deflateRawSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { dataSet, dicomBytes, encapsulated, metaBytes, sliceElements, type TestElement } from './testing/dicomFile.ts'
import { openAll, refusal, six, testFolder, type TestFolder } from './testing/openAll.ts'

let folder: TestFolder

beforeEach(async () => {
  folder = await testFolder()
})
afterEach(async () => {
  await folder.remove()
})

describe('values', () => {
  it('keep slope and intercept beside the stored numbers', async () => {
    await folder.writeSlices([{ slope: 2, inter: -1024, values: [0, 1, 2, 3, 4, 4095] }])
    const { data, slope, inter, voxelType } = await openAll(folder.path)
    expect([data, slope, inter, voxelType]).toEqual([[0, 1, 2, 3, 4, 4095], 2, -1024, 'uint16'])
  })

  it('are scaled where slices differ in how', async () => {
    await folder.writeSlices([0, 1].map((k) => ({ position: [0, 0, k], slope: k + 1, inter: 0.5 * k, values: six(0) })))
    const { data, slope, inter, voxelType, warnings } = await openAll(folder.path)
    expect(data).toEqual([0, 1, 2, 3, 4, 5, 0.5, 2.5, 4.5, 6.5, 8.5, 10.5])
    expect([slope, inter, voxelType]).toEqual([1, 0, 'float32'])
    expect(warnings).toEqual([expect.stringContaining('scaled differently')])
  })

  it('are cut out of their words, with their sign', async () => {
    const words = [0xf7ff, 0x0800, 0xafff, 0x1001, 0, 0x07ff]
    await folder.writeSlices([{ bitsStored: 12, signed: true, values: words }])
    expect((await openAll(folder.path)).data).toEqual([2047, -2048, -1, 1, 0, 2047])
    await folder.writeSlices([{ bitsStored: 12, values: words }])
    expect((await openAll(folder.path)).data).toEqual([2047, 2048, 4095, 1, 0, 2047])
    // 12 bits at the top of the word.
    await folder.writeSlices([{ bitsStored: 12, highBit: 15, values: words }])
    expect((await openAll(folder.path)).data).toEqual([0xf7f, 0x080, 0xaff, 0x100, 0, 0x07f])
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
    const { data, info } = await openAll(await folder.write('a.dcm', dicomBytes(elements, options)))
    expect(data).toEqual([1, 2, 300, 4, 5, 65_535])
    expect(info).toMatchObject({ slope: 3, dims: [3, 2, 1, 1], byteOrder: 'bigEndian' in options ? 'big' : 'little' })
  })

  it('are the same deflated', async () => {
    const body = dataSet(sliceElements({ values: six(4) }), { bigEndian: false, implicit: false })
    const path = await folder.write('a.dcm', Buffer.concat([metaBytes('1.2.840.10008.1.2.1.99'), deflateRawSync(body)]))
    const { data, info } = await openAll(path)
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
    expect((await openAll(await folder.write('a.dcm', bytes))).data).toEqual([1, 2, 3, 4, 5])
  })

  it('can be decimal numbers', async () => {
    const numbers = Float32Array.from([0.5, -1, 1e10, 0, 3.25, 7])
    const elements = sliceElements({ more: [[0x00280100, 'US', [32]]] }).filter(([tag]) => tag !== 0x7fe00010)
    elements.push([0x7fe00008, 'OF', new Uint8Array(numbers.buffer)])
    const { data, voxelType } = await openAll(await folder.write('a.dcm', dicomBytes(elements)))
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
    const { data, dims, kind } = await openAll(await folder.write('a.dcm', dicomBytes(elements)))
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
    const path = await folder.write(
      'a.dcm',
      Buffer.concat([head, encapsulated([Buffer.concat([header, ...segments])])]),
    )
    expect((await openAll(path)).data).toEqual([0x107, 0x108, 0x1ff, 0x109, 0x109, 0x109])
    const short = Buffer.concat([header, Buffer.from([256 - 5, 1, 2, 7])])
    await writeFile(path, Buffer.concat([head, encapsulated([short])]))
    expect(await refusal(path)).toBe('a.dcm holds compressed pixels that are damaged; copy or download it again.')
  })

  it('that stand for white where they are low are kept, and that is said', async () => {
    await folder.writeSlices([{ more: [[0x00280004, 'CS', 'MONOCHROME1']] }])
    const { data, warnings } = await openAll(folder.path)
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
    const { data, channels, kind, info, source } = await openAll(await folder.write('a.dcm', dicomBytes(elements)))
    expect([data, channels, kind]).toEqual([[10, 20, 30, 40, 50, 60], 3, 'image'])
    expect([info.datatype, info.affine, source.kind]).toEqual(['rgb24', null, 'raster'])
  })

  it('that are no colours are grey', async () => {
    const elements = picture([
      [0x00280004, 'CS', 'RGB'],
      [0x7fe00010, 'OB', Uint8Array.from([7, 7, 7, 9, 9, 9])],
    ])
    const { data, channels, info } = await openAll(await folder.write('a.dcm', dicomBytes(elements)))
    expect([data, channels, info.channels]).toEqual([[7, 9], 1, 3])
  })

  it('are made of luminance and colour difference', async () => {
    // Pure red: Y 76.245, Cb 84.97, Cr 255.5; grey has no difference.
    const elements = picture([
      [0x00280004, 'CS', 'YBR_FULL'],
      [0x7fe00010, 'OB', Uint8Array.from([76, 85, 255, 99, 128, 128])],
    ])
    const { data } = await openAll(await folder.write('a.dcm', dicomBytes(elements)))
    expect(data).toEqual([254, 0, 0, 99, 99, 99])
    const halved = picture([
      [0x00280004, 'CS', 'YBR_FULL_422'],
      [0x7fe00010, 'OB', Uint8Array.from([76, 99, 128, 128])],
    ])
    expect((await openAll(await folder.write('b.dcm', dicomBytes(halved)))).data).toEqual([76, 99])
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
    const { data, channels } = await openAll(await folder.write('a.dcm', dicomBytes(elements)))
    expect([data, channels]).toEqual([[2, 12, 22, 3, 13, 23], 3])
  })
})
