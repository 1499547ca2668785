import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '../fixtures/test.ts'
import { dataDir } from '../fixtures/host.ts'
import { countLabels, readPlainNifti } from '../fixtures/nifti.ts'

/** The whole main job: open, predict, correct by brush, retrain in one click, save. */
test.describe('the main job', () => {
  test('on the demo project', async ({ shell }, info) => {
    const app = await shell.open()
    await app.ready()
    await expect(app.by('slice-number')).toContainText(/\d+/)
    await app.page.screenshot({ path: info.outputPath('1-start.png') })
    expect(await app.colouredShare(), 'a CT without overlay is grey').toBeLessThan(0.02)

    // Predict: the visible slice fills in first, then the volume.
    await app.by('predict').first().click()
    await expect.poll(() => app.colouredShare(), { timeout: 60_000 }).toBeGreaterThan(0.03)
    await app.idle()
    await app.page.screenshot({ path: info.outputPath('2-predicted.png') })

    // Accept, then correct by brush: a stroke changes the pixel under it to the label's colour.
    await app.by('accept-all').first().click()
    await app.saved()
    await app.labelNamed('Liver')
    await app.by('tool-brush').click()
    const from = await app.at(0.02, -0.18)
    const to = await app.at(0.06, -0.18)
    const before = await app.pixel(from)
    await app.drag(from, to)
    await app.saved()
    const after = await app.pixel(from)
    expect(after, 'the stroke is on screen').not.toEqual(before)

    // Undo takes it back to the very pixel, redo brings it again.
    await app.page.keyboard.press('Control+z')
    await expect.poll(() => app.pixel(from)).toEqual(before)
    await app.page.keyboard.press('Control+Shift+z')
    await expect.poll(() => app.pixel(from)).toEqual(after)
    await app.saved()
    await app.page.screenshot({ path: info.outputPath('3-corrected.png') })

    // Retrain in one click: the chart moves, a new version is active, the overlay is computed again.
    const versions = await app.by('model-version').count()
    // Long enough to learn something on a slow computer.
    await app.by('training-seconds').selectOption('30')
    await app.by('retrain').first().click()
    await expect(app.by('training-chart')).toBeVisible({ timeout: 60_000 })
    await app.page.screenshot({ path: info.outputPath('4-retraining.png') })
    await expect(app.by('model-version')).toHaveCount(versions + 1, { timeout: 120_000 })
    await expect(app.by('model-version').first()).toHaveAttribute('data-active', 'true')
    await app.idle()
    await app.page.screenshot({ path: info.outputPath('5-retrained.png') })

    // Save: the words come only after the file was read back.
    await app.by('save-mask').first().click()
    await expect(app.by('save-result')).toContainText(/saved/i)
    const path = await app.by('save-result').getAttribute('data-path')
    if (path === null) throw new Error('the interface does not say where it saved the mask')
    const mask = readPlainNifti(path)
    expect(mask.dims.slice(0, 3).every((size) => size >= 80)).toBe(true)
    expect(mask.datatype).toBe(2)
    const counts = countLabels(mask.voxels)
    // Every organ is there with the volume of an organ; specks of the first prediction may be there too.
    for (const label of [1, 2, 3, 4])
      expect(counts.get(label) ?? 0, `voxels of label ${String(label)}`).toBeGreaterThan(2000)
    expect(mask.sform.slice(0, 1)[0], 'x grows to the patient’s left').toBeLessThan(0)
    await app.page.screenshot({ path: info.outputPath('6-saved.png') })
  })
})

test.describe('the main job on a real volume', () => {
  test.use({ project: 'demo' })
  test.skip(dataDir === undefined, 'the folder of real images is not on this machine')

  test('hippocampus', async ({ shell }, info) => {
    const images = join(dataDir ?? '', 'hippocampus', 'images')
    const name =
      readdirSync(images)
        .sort()
        .find((file) => /\.nii(\.gz)?$/.test(file)) ?? ''
    const source = readPlainNifti(join(images, name))
    const app = await shell.open()
    await app.ready()
    await app.openPath(join(images, name))
    const stem = name.replace(/\.nii(\.gz)?$/, '')
    await expect(app.case(stem).first()).toHaveAttribute('aria-current', 'true')
    await app.ready()

    // A volume opens at its middle axial slice.
    await expect(app.by('slice-number')).toContainText(String(Math.floor((source.dims[2] ?? 0) / 2) + 1))

    await app.by('predict').first().click()
    await expect(app.case(stem).first()).toContainText('Predicted', { timeout: 60_000 })
    await app.idle()

    // A label of one's own, one stroke with it on the slice.
    await app.by('label-add').click()
    await app.by('label-name').last().fill('Hippocampus')
    await app.by('label-name').last().press('Enter')
    await app.labelNamed('Hippocampus')
    await app.by('tool-brush').click()
    const from = await app.at(-0.03, 0)
    await app.page.mouse.move(from.x, from.y)
    await expect(app.by('readout-voxel')).toContainText(/\d+/)
    const voxelText = (await app.by('readout-voxel').textContent()) ?? ''
    const voxel = [...voxelText.matchAll(/-?\d+/g)].map((match) => Number(match[0])).slice(-3)
    await app.drag(from, await app.at(0.03, 0))
    await app.saved()

    await app.by('retrain').first().click()
    await expect(app.by('training-chart')).toBeVisible({ timeout: 60_000 })
    await app.idle()

    await app.by('save-mask').first().click()
    await expect(app.by('save-result')).toContainText(/saved/i)
    const path = await app.by('save-result').getAttribute('data-path')
    if (path === null) throw new Error('the interface does not say where it saved the mask')
    const mask = readPlainNifti(path)
    expect(mask.dims.slice(0, 3)).toEqual(source.dims.slice(0, 3))
    expect(mask.sform).toEqual(source.sform)
    expect([mask.qformCode, mask.sformCode]).toEqual([source.qformCode, source.sformCode])
    // The voxel named under the pointer when the stroke began carries the new label in the file.
    const [x = 0, y = 0, z = 0] = voxel
    const [nx = 0, ny = 0] = mask.dims
    const added = mask.voxels[x + nx * (y + ny * z)] ?? 0
    expect(added).toBeGreaterThan(0)
    expect(added).toBe(Math.max(...countLabels(mask.voxels).keys()))
    await app.page.screenshot({ path: info.outputPath('hippocampus-saved.png') })
  })
})
