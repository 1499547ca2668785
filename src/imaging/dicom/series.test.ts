import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { voxelToWorld } from '../../core/geometry/index.ts'
import { imageFiles, readImageInfo } from '../registry.ts'
import { listSeries } from './index.ts'
import { dicomBytes, sliceElements, type TestElement, type TestSlice } from './testing/dicomFile.ts'
import { openAll, refusal, six, testFolder, type TestFolder } from './testing/openAll.ts'

let folder: TestFolder

beforeEach(async () => {
  folder = await testFolder()
})
afterEach(async () => {
  await folder.remove()
})

describe('a DICOM series', () => {
  it('is sorted by position along the normal, whatever the names and numbers of its files say', async () => {
    const heights = [7.5, 0, 5, 2.5]
    await folder.writeSlices(heights.map((z, i) => ({ position: [-10, 20, z], number: i, values: six(z / 2.5) })))
    const { info, data, kind, source } = await openAll(folder.path)
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
    expect(await imageFiles(folder.path)).toEqual([0, 1, 2, 3].map((i) => folder.at(`${i}.dcm`)))
  })

  it('lies where an oblique orientation puts it', async () => {
    const [c, s] = [Math.cos(0.3), Math.sin(0.3)]
    // Rows turned about the patient's long axis; the normal stays along it, slices are 3 mm apart.
    const orientation = [c, s, 0, -s, c, 0]
    await folder.writeSlices([0, 1, 2].map((k) => ({ position: [5, 6, 7 + 3 * k], orientation, spacing: [2, 0.5] })))
    const { affine } = await openAll(folder.path)
    if (affine === null) throw new Error('no affine')
    // Two columns, one row, one slice on: 2 * 0.5 mm along a row, 2 mm along a column.
    const lps = [5 + 2 * 0.5 * c - 2 * s, 6 + 2 * 0.5 * s + 2 * c, 7 + 3]
    const [x, y, z] = voxelToWorld(affine, [2, 1, 1])
    expect(x).toBeCloseTo(-(lps[0] ?? 0), 9)
    expect(y).toBeCloseTo(-(lps[1] ?? 0), 9)
    expect(z).toBeCloseTo(lps[2] ?? 0, 9)
  })

  it('can be told by one of its files, and holds only files of the same series', async () => {
    await folder.writeSlices([0, 1, 2].map((k) => ({ position: [0, 0, k], values: six(k) })))
    await folder.write('other.dcm', dicomBytes(sliceElements({ series: '9.9', columns: 5, rows: 1 })))
    const { data, dims } = await openAll(folder.at('1.dcm'))
    expect(dims).toEqual([3, 2, 3])
    expect(data).toEqual([0, 1, 2].flatMap(six))
    expect((await readImageInfo(folder.at('other.dcm'))).dims).toEqual([5, 1, 1, 1])
  })

  it('passes over what is no picture', async () => {
    await folder.writeSlices([0, 1].map((k) => ({ position: [0, 0, k], values: six(k) })))
    await folder.write('DICOMDIR', dicomBytes([[0x00080060, 'CS', 'X']]))
    await folder.write('report.dcm', dicomBytes([[0x00080060, 'CS', 'SR']]))
    await folder.write('notes.txt', Buffer.from('nothing to see'))
    await folder.write('empty', Buffer.alloc(0))
    await mkdir(folder.at('deeper'))
    await folder.write(join('deeper', '9.dcm'), dicomBytes(sliceElements({ position: [0, 0, 9] })))
    const { info } = await openAll(folder.path)
    expect(info.dims).toEqual([3, 2, 2, 1])
    expect(info.warnings).toEqual([])
    expect(await refusal(folder.at('report.dcm'))).toMatch(/^report.dcm is a DICOM file without a picture; choose/)
  })

  it('lists what is in a folder, the largest first, and opens what is chosen', async () => {
    await folder.writeSlices(
      [0, 1, 2].map((k) => ({ position: [0, 0, k], series: '1.1', values: six(k) })),
      (i) => `a${i}`,
    )
    await folder.writeSlices(
      [0, 1].map((k) => ({ position: [0, 0, k], series: '2.2', values: six(5 + k) })),
      (i) => `b${i}`,
    )
    // Localizers in the same series: of another direction, and of another size.
    await folder.write('c0', dicomBytes(sliceElements({ series: '1.1', orientation: [0, 1, 0, 0, 0, -1] })))
    await folder.write('c1', dicomBytes(sliceElements({ series: '1.1', columns: 2, rows: 2 })))
    const listed = await listSeries(folder.path)
    expect(listed.map(({ id, images, dims }) => [id, images, dims])).toEqual([
      ['1.1', 3, [3, 2, 3, 1]],
      ['2.2', 2, [3, 2, 2, 1]],
      ['1.1#2', 1, [3, 2, 1, 1]],
      ['1.1#3', 1, [2, 2, 1, 1]],
    ])
    expect(listed[0]).toMatchObject({ description: 'A series', modality: 'CT' })
    const largest = await openAll(folder.path)
    expect(largest.dims[2]).toBe(3)
    expect(largest.warnings).toEqual(['There are 4 series; the largest is used (CT, 3 images).'])
    const second = await openAll(folder.path, { series: '2.2' })
    expect([second.data, second.warnings]).toEqual([[...six(5), ...six(6)], []])
    expect(await imageFiles(folder.path, { selection: { series: '2.2' } })).toEqual([folder.at('b0'), folder.at('b1')])
    expect(await refusal(folder.path, { series: '4.4' })).toMatch(/does not hold the series that was chosen/)
  })

  it('is put together without a series UID, which careless removal of names leaves out', async () => {
    await folder.writeSlices([0, 1].map((k) => ({ position: [0, 0, k], series: '' })))
    expect((await listSeries(folder.path)).map(({ id, images }) => [id, images])).toEqual([['unnamed-CT-0', 2]])
  })

  it('falls into frames where every place has the same number of images', async () => {
    const slices = [0, 1, 2].flatMap((k) =>
      [0, 1].map((t): TestSlice => ({ position: [0, 0, k], number: 1 + t * 3 + k, values: six(k + 5 * t) })),
    )
    await folder.writeSlices(slices)
    const first = await openAll(folder.path)
    expect(first.info).toMatchObject({ dims: [3, 2, 3, 2], frames: 2 })
    expect(first.data).toEqual([0, 1, 2].flatMap(six))
    expect(first.warnings).toEqual(['There are 2 frames at the same place; the first one is used.'])
    const second = await openAll(folder.path, { frame: 1 })
    expect([second.data, second.warnings]).toEqual([[5, 6, 7].flatMap(six), []])
    expect(await refusal(folder.path, { frame: 2 })).toMatch(/has 2 frames, so there is none with the number 3/)
  })

  it('falls into acquisitions that are volumes by themselves', async () => {
    const acquisition = (number: number): TestElement[] => [[0x00200012, 'IS', String(number)]]
    const whole = [0, 1, 2].map((k): TestSlice => ({ position: [0, 0, k], values: six(k), more: acquisition(1) }))
    const part = [1, 2].map((k): TestSlice => ({ position: [0, 0, k], values: six(7 + k), more: acquisition(2) }))
    await folder.writeSlices([...whole, ...part])
    expect((await listSeries(folder.path)).map(({ id, images }) => [id, images])).toEqual([
      ['1.2.3', 3],
      ['1.2.3#2', 2],
    ])
    expect((await openAll(folder.path, { series: '1.2.3#2' })).data).toEqual([8, 9].flatMap(six))
  })

  it('is one volume of acquisitions that overlap by a slice', async () => {
    const number = (k: number): TestElement[] => [[0x00200012, 'IS', k < 6 ? '1' : '2']]
    const heights = [0, 1, 2, 3, 4, 5, 5, 6, 7, 8, 9, 10]
    await folder.writeSlices(
      heights.map((z, k) => ({ position: [0, 0, z], number: k, values: six(k), more: number(k) })),
    )
    const { data, warnings } = await openAll(folder.path)
    expect(data).toEqual([0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11].flatMap(six))
    expect(warnings).toEqual([expect.stringContaining('1 of 12 images lie where another one')])
  })

  it('says what it leaves out of images at one place', async () => {
    await folder.writeSlices([0, 1, 2].map((k) => ({ position: [0, 0, k], number: k, values: six(k) })))
    await folder.write('again', dicomBytes(sliceElements({ position: [0, 0, 1], number: 9, values: six(9) })))
    const { data, warnings } = await openAll(folder.path)
    expect(data).toEqual([0, 1, 2].flatMap(six))
    expect(warnings).toEqual([
      '1 of 4 images lie where another one of the series lies; the first at each place is used.',
    ])
    await rm(folder.at('again'))
    await writeFile(folder.at('copy'), await readFile(folder.at('1.dcm')))
    const copied = await openAll(folder.path)
    expect(copied.data).toEqual([0, 1, 2].flatMap(six))
    expect(copied.warnings).toEqual(['1 images are there twice; the copies are left out.'])
  })

  it('warns of missing slices and says where', async () => {
    await folder.writeSlices([0, 3, 6, 12, 15].map((z) => ({ position: [0, 0, z] })))
    const { info, affine } = await openAll(folder.path)
    expect(info.gaps).toBe(true)
    expect(info.warnings).toEqual([
      'The slices are 3 mm apart, but 6 mm between slices 3 and 4: slices are missing, so places and volumes beyond are not exact.',
    ])
    // The slices before the gap are where they were.
    expect(affine?.[2]).toEqual([0, 0, 3, 0])
  })

  it('takes rounded positions for even ones', async () => {
    await folder.writeSlices([0, 1.3, 2.7, 4, 5.3, 6.7, 8].map((z) => ({ position: [0, 0, z] })))
    const { info } = await openAll(folder.path)
    expect(info.warnings).toEqual([])
    expect(info.spacing[2]).toBeCloseTo(8 / 6, 9)
  })

  it('keeps the shear of a tilted gantry and says so', async () => {
    await folder.writeSlices([0, 1, 2, 3].map((k) => ({ position: [0, k, 2 * k] })))
    const { affine, warnings } = await openAll(folder.path)
    expect(affine?.map((row) => row[2])).toEqual([0, -1, 2, 0])
    expect(warnings).toEqual([
      'The slices are shifted against each other (a gantry tilted by 26.6°): the volume is sheared.',
    ])
  })

  it('warns of slices beside the line of the others', async () => {
    await folder.writeSlices([0, 1, 2, 3].map((k) => ({ position: [k === 2 ? 1 : 0, 0, 2 * k] })))
    const { info } = await openAll(folder.path)
    expect(info.gaps).toBe(true)
    expect(info.warnings).toEqual([
      'The slices do not lie in one line (up to 1 mm beside it), so places are not exact.',
    ])
  })

  it('has no affine without positions, and is in the order of its numbers', async () => {
    await folder.writeSlices(
      [2, 0, 1].map((k) => ({ position: null, orientation: null, number: 10 + k, values: six(k) })),
    )
    const { data, affine, warnings, spacing } = await openAll(folder.path)
    expect([data, affine, spacing]).toEqual([[0, 1, 2].flatMap(six), null, [1, 2, 1]])
    expect(warnings).toEqual(['The files do not say where their images lie; they are in the order of their numbers.'])
  })

  it('names files that it leaves out because they are damaged', async () => {
    await folder.writeSlices([0, 1].map((k) => ({ position: [0, 0, k] })))
    await folder.write('cut.dcm', dicomBytes(sliceElements({ position: [0, 0, 2] })).subarray(0, -4))
    const { info } = await openAll(folder.path)
    expect(info.dims[2]).toBe(2)
    expect(info.warnings).toEqual(['A DICOM file could not be read and is left out: cut.dcm.'])
    expect(await refusal(folder.at('cut.dcm'))).toBe('cut.dcm is cut off; copy or download it again.')
  })

  it('is read again where a file has changed', async () => {
    // Long enough after it was written for its header to be remembered.
    const later = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 60_000)
    try {
      const one = (z: number): Uint8Array => dicomBytes(sliceElements({ position: [0, 0, z], spacing: [2, z] }))
      const path = await folder.write('a.dcm', one(1))
      expect((await openAll(path)).spacing[0]).toBe(1)
      expect((await openAll(path)).spacing[0]).toBe(1)
      // Times of files can be as coarse as this.
      await setTimeout(50)
      await folder.write('a.dcm', one(3))
      expect((await openAll(path)).spacing[0]).toBe(3)
    } finally {
      later.mockRestore()
    }
  })

  it('tells nothing of the patient', async () => {
    await folder.writeSlices([0, 1].map((k) => ({ position: [0, 0, k] })))
    const image = await openAll(folder.path)
    const told = JSON.stringify([image.info, image.source, image.warnings, await listSeries(folder.path)])
    expect(told).not.toMatch(/secret/i)
  })
})
