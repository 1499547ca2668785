import { existsSync, renameSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { TileRegion } from '../../core/contract/schemas.ts'
import { cleanUp, emptyProject, jobEnd, openBackend, rectangle, restart, temporaryFolder } from '../testing/fixtures.ts'
import { LARGE, writeFrames, writeLargeTiff } from '../testing/images.ts'
import { add, fileOf, look } from '../testing/worklist.ts'

afterEach(cleanUp)

describe('a slide', () => {
  const region: TileRegion = { level: 0, x: 300, y: 100, width: 80, height: 60 }

  it('is shown in tiles and annotated in regions', async () => {
    const test = await openBackend(emptyProject())
    const path = writeLargeTiff(join(temporaryFolder(), 'section.tif'))
    expect(await look(test, path)).toMatchObject({ kind: 'slide', format: 'TIFF', dims: [9000, 7680, 1] })
    const slide = await add(test, path)
    expect(slide).toMatchObject({ name: 'section', kind: 'slide', dims: [LARGE.width, LARGE.height, 1], channels: 1 })
    const detail = await test.call('case.open', { caseId: slide.id })
    expect(detail).toMatchObject({ voxelType: 'uint8', affine: null, orientation: null, cautions: [] })
    expect(detail.tiles?.levels[0]).toEqual({ ...LARGE, downsample: 1 })
    expect(detail.tiles?.levels.length).toBeGreaterThan(3)
    const tile = await test.call('slide.tile', { caseId: slide.id, level: 0, column: 1, row: 2 })
    expect([tile.width, tile.height, tile.voxelType]).toEqual([detail.tiles?.width, detail.tiles?.height, 'uint8'])
    expect([...tile.data.subarray(0, 3)]).toEqual([0, 1, 2])
    const outside = test.call('slide.tile', { caseId: slide.id, level: 0, column: 999, row: 0 })
    await expect(outside).rejects.toMatchObject({ code: 'bad-request' })
    expect(await test.call('case.thumbnail', { caseId: slide.id })).toMatchObject({ width: 96, height: 82 })

    const first = await test.call('slide.addRegion', { caseId: slide.id, region })
    expect(first).toMatchObject({ name: 'section · region 1', kind: 'image', dims: [80, 60, 1] })
    expect(first.regionOf).toEqual({ slideId: slide.id, region })
    const other = { ...region, level: 1, x: 0 }
    const second = await test.call('slide.addRegion', { caseId: slide.id, region: other })
    expect(second).toMatchObject({ name: 'section · region 2', regionOf: { region: other } })
    expect((await test.call('slide.addRegion', { caseId: slide.id, region })).id).toBe(first.id)
    const beyond = { ...region, x: LARGE.width - 10 }
    await expect(test.call('slide.addRegion', { caseId: slide.id, region: beyond })).rejects.toMatchObject({
      code: 'bad-request',
    })
    const slice = await test.call('volume.slice', { caseId: first.id, axis: 2, index: 0 })
    expect([...slice.data.subarray(0, 3)]).toEqual([44, 45, 46])
    await test.call('labels.add', { name: 'Nucleus', color: null })
    const delta = rectangle({ index: 0, at: [2, 1], size: [3, 3], after: 1 })
    await test.call('annotation.commit', { caseId: first.id, delta })

    const again = await restart(test)
    expect((await again.call('case.open', { caseId: slide.id })).tiles).toEqual(detail.tiles)
    expect(await again.call('slide.tile', { caseId: slide.id, level: 0, column: 1, row: 2 })).toEqual(tile)
    const { path: mask } = await again.call('export.mask', { caseId: first.id, fileId: null })
    expect(basename(mask)).toBe('section-region-1-mask.png')
    // What is made of one file moves with it, however far.
    const elsewhere = join(temporaryFolder(), 'elsewhere.tif')
    renameSync(path, elsewhere)
    const moved = await restart(again)
    const missing = async () => (await moved.call('project.get', {})).cases.map((one) => one.missing)
    expect(await missing()).toEqual([true, true, true])
    await moved.call('case.relocate', { caseId: second.id, fileId: fileOf(moved, elsewhere) })
    expect(await missing()).toEqual([false, false, false])
    await moved.call('volume.slice', { caseId: first.id, axis: 2, index: 0 })
    await moved.call('case.remove', { caseId: slide.id })
    expect((await moved.call('project.get', {})).cases[0]?.regionOf ?? null).toBeNull()
    expect((await add(moved, elsewhere)).id).toBe(slide.id)
  })

  it('refuses in a sentence what is done in regions', async () => {
    const test = await openBackend(emptyProject())
    const { id: caseId } = await add(test, writeLargeTiff(join(temporaryFolder(), 'section.tif')))
    await test.call('labels.add', { name: 'Nucleus', color: null })
    const slice = { caseId, axis: 2, index: 0 } as const
    const delta = rectangle({ index: 0, at: [2, 1], size: [3, 3], after: 1 })
    for (const refused of [
      test.call('volume.slice', slice),
      test.call('annotation.slice', { ...slice, layer: 'mask' }),
      test.call('annotation.slice', { ...slice, layer: 'prediction' }),
      test.call('annotation.commit', { caseId, delta }),
      test.call('annotation.undo', { caseId }),
      test.call('annotation.history', { caseId }),
      test.call('annotation.accept', { caseId, scope: { kind: 'volume' }, labels: null, keepCorrected: true }),
      test.call('export.mask', { caseId, fileId: null }),
      test.call('case.useForm', { caseId, affine: 'qform' }),
    ]) {
      await expect(refused).rejects.toMatchObject({ code: 'bad-request' })
      await expect(refused).rejects.toThrow('"section" is a slide')
    }
    const image = await writeFrames(join(temporaryFolder(), 'small.nii'))
    const small = await add(test, image)
    await test.call('annotation.commit', { caseId: small.id, delta })
    const { id } = await test.call('train.start', { steps: 1, seconds: 1, seed: 0, show: null })
    await jobEnd(test, id)
    await expect(test.call('predict.start', { caseId, index: 0 })).rejects.toThrow('"section" is a slide')
    const tile = { level: 0, column: 0, row: 0 }
    await expect(test.call('slide.tile', { caseId: small.id, ...tile })).rejects.toThrow('is not a slide')
    expect(existsSync(join(dirname(image), 'small.nii'))).toBe(true)
  })
})
