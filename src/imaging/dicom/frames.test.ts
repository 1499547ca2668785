import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { dicomBytes, encapsulated, sliceElements, type TestElement } from './testing/dicomFile.ts'
import { openAll, refusal, six, testFolder, type TestFolder } from './testing/openAll.ts'

let folder: TestFolder

beforeEach(async () => {
  folder = await testFolder()
})
afterEach(async () => {
  await folder.remove()
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
      const { data, info } = await openAll(await folder.write('a.dcm', dicomBytes(elements, options)))
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
    const { data, affine, warnings } = await openAll(
      await folder.write('a.dcm', dicomBytes(sliceElements({ position: [0, 0, 10], values, more }))),
    )
    expect([data, affine?.[2]]).toEqual([values, [0, 0, 1.5, 10]])
    expect(warnings).toEqual([expect.stringContaining('states the place of its first slice')])
  })

  it('of a dose grid lie at its offsets, and are scaled by its unit', async () => {
    const more: TestElement[] = [
      [0x00280008, 'IS', '3'],
      [0x3004000c, 'DS', '0\\-3\\-6'],
      [0x3004000e, 'DS', '0.001'],
    ]
    const bytes = dicomBytes(sliceElements({ position: [0, 0, 10], values, more }))
    const { data, affine, slope, info } = await openAll(await folder.write('dose.dcm', bytes))
    expect(data).toEqual([2, 1, 3].flatMap(six))
    expect([affine?.[2], slope, info.gaps]).toEqual([[0, 0, 3, 4], 0.001, false])
  })

  it('of a gamma camera are slices where they were reconstructed, and views where they were not', async () => {
    const detector: TestElement[] = [
      [0x00200032, 'DS', '1\\2\\3'],
      [0x00200037, 'DS', '1\\0\\0\\0\\1\\0'],
    ]
    const camera = (type: string): TestElement[] => [
      [0x00080008, 'CS', `ORIGINAL\\PRIMARY\\${type}\\EMISSION`],
      [0x00080060, 'CS', 'NM'],
      [0x00280008, 'IS', '3'],
      [0x00180088, 'DS', '4'],
      [0x00540022, 'SQ', [detector]],
    ]
    const bytes = (type: string): Buffer =>
      dicomBytes(sliceElements({ position: null, orientation: null, values, more: camera(type) }))
    const slices = await openAll(await folder.write('slices.dcm', bytes('RECON TOMO')))
    expect([slices.data, slices.affine?.[2]]).toEqual([values, [0, 0, 4, 3]])
    const views = await openAll(await folder.write('views.dcm', bytes('TOMO')))
    expect([views.data, views.affine]).toEqual([values, null])
  })

  it('of ultrasound have the spacing of their one region', async () => {
    const double = (value: number): Uint8Array => new Uint8Array(Float64Array.of(value).buffer)
    const region: TestElement[] = [
      [0x00186024, 'US', [3]],
      [0x00186026, 'US', [3]],
      [0x0018602c, 'FD', double(0.02)],
      [0x0018602e, 'FD', double(0.03)],
    ]
    const more: TestElement[] = [
      [0x00280008, 'IS', '3'],
      [0x00186011, 'SQ', [region]],
    ]
    const plain = sliceElements({ position: null, orientation: null, values, more })
    const elements = plain.filter(([tag]) => tag !== 0x00280030)
    const { spacing, spacingKnown } = await openAll(await folder.write('a.dcm', dicomBytes(elements)))
    expect(spacing[0]).toBeCloseTo(0.2, 9)
    expect(spacing[1]).toBeCloseTo(0.3, 9)
    expect([spacing[2], spacingKnown]).toEqual([1, true])
  })

  it('without a place are a stack in the order of the file', async () => {
    const elements = sliceElements({ position: null, orientation: null, values, more: [[0x00280008, 'IS', '3']] })
    const { data, affine, kind, dims } = await openAll(await folder.write('a.dcm', dicomBytes(elements)))
    expect([data, affine, kind, dims]).toEqual([values, null, 'volume', [3, 2, 3]])
  })

  it('at one place are frames', async () => {
    const elements = sliceElements({ values, more: [[0x00280008, 'IS', '3']] })
    const { data, info } = await openAll(await folder.write('a.dcm', dicomBytes(elements)), { frame: 2 })
    expect([data, info.dims]).toEqual([six(2), [3, 2, 1, 3]])
  })

  it('that are tiles of a slide are refused; a single one is cut to its size', async () => {
    const slide: TestElement[] = [
      [0x00080016, 'UI', '1.2.840.10008.5.1.4.1.1.77.1.6'],
      [0x00480006, 'UL', [2]],
      [0x00480007, 'UL', [1]],
    ]
    const one = await openAll(await folder.write('one.dcm', dicomBytes(sliceElements({ values: six(1), more: slide }))))
    expect([one.data, one.dims, one.kind]).toEqual([[10, 11], [2, 1, 1], 'image'])
    const tiles = sliceElements({ values, more: [...slide, [0x00280008, 'IS', '3']] })
    expect(await refusal(await folder.write('tiles.dcm', dicomBytes(tiles)))).toMatch(
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
    const path = await folder.write('a.dcm', Buffer.concat([head, encapsulated([Buffer.alloc(10)])]))
    expect(await refusal(path)).toMatch(sentence)
  })

  it.each<[string, TestElement, RegExp]>([
    ['frames beyond all measure', [0x00280008, 'IS', '99999999'], /states 99999999 frames, which cannot be/],
    ['more frames than there are bytes', [0x00280008, 'IS', '4'], /is cut off; copy or download it again/],
    ['no size', [0x00280010, 'US', [0]], /states no size/],
    ['a size beyond the file', [0x00280010, 'US', [4000]], /is cut off/],
    ['frames larger than can be shown', [0x00280011, 'US', [65_535]], /is cut off|too large/],
    ['a mosaic', [0x00080008, 'CS', 'ORIGINAL\\PRIMARY\\M\\ND\\MOSAIC'], /is a mosaic .* convert it with dcm2niix/],
    ['two samples', [0x00280002, 'US', [2]], /has 2 samples a pixel/],
    ['samples of 12 bits', [0x00280100, 'US', [12]], /has samples of 12 bits/],
  ])('says why: %s', async (_, element, sentence) => {
    const path = await folder.write('a.dcm', dicomBytes(sliceElements({ more: [element] })))
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
    const path = await folder.write('a.dcm', Buffer.concat([head, encapsulated([jpeg])]))
    expect(await refusal(path)).toBe('a.dcm holds compressed pixels that are damaged; copy or download it again.')
  })
})
