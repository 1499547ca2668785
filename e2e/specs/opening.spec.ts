import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { niftiPair, writeNifti, type NiftiToWrite } from '../fixtures/plainNifti.ts'
import { writeSeries, type PlainSeries } from '../fixtures/dicom.ts'
import { expect, test } from '../fixtures/test.ts'
import type { Workstation } from '../pages/workstation.ts'

test.use({ project: 'empty' })

const abdomen: PlainSeries = {
  uid: '1.2.826.0.1.3680043.9.100',
  modality: 'CT',
  description: 'Abdomen axial 2.0',
  width: 40,
  height: 32,
  slices: 8,
  spacing: [0.8, 0.9, 2],
  value: (x, y, z) => 1000 + 10 * z + (x > 10 && x < 30 && y > 8 && y < 24 ? 100 : 0),
}
const scout: PlainSeries = {
  ...abdomen,
  uid: '1.2.826.0.1.3680043.9.200',
  description: 'Scout with a description that is as long as people make them, twice over if need be, and then some',
  width: 24,
  height: 24,
  slices: 3,
}

/** The intensity under the pointer in the middle of the image. */
async function valueInTheMiddle(app: Workstation): Promise<string> {
  const { x, y } = await app.at()
  await app.page.mouse.move(x - 3, y)
  await app.page.mouse.move(x, y)
  await expect(app.by('readout-intensity')).toContainText(/\d/)
  return (await app.by('readout-intensity').textContent()) ?? ''
}

test('a folder with two DICOM series: each becomes a case of its own', async ({ shell, folder }, info) => {
  const dicom = join(folder, 'study')
  await writeSeries(dicom, abdomen)
  await writeSeries(dicom, scout)
  await mkdir(join(dicom, 'reports'))
  const app = await shell.open()
  await app.by('open-file').first().click()
  await app.by('path-field').fill(`${dicom}/`)
  await expect(app.by('path-option'), 'the folders in it are offered beside').toContainText(['reports'])
  await app.page.screenshot({ path: info.outputPath('folder.png') })
  await app.by('path-folder').click()

  await expect(app.by('choose-series')).toHaveCount(2)
  const first = app.by('choose-series').first()
  await expect(first, 'the largest comes first').toContainText('Abdomen axial 2.0')
  await expect(first).toContainText('8 images')
  await expect(first).toContainText('40 × 32 × 8')
  await expect(first.locator('input')).toBeFocused()
  await app.page.screenshot({ path: info.outputPath('series.png') })
  await app.page.keyboard.press('Enter')
  await app.ready()
  await expect(app.by('slice-number')).toContainText('8')
  // Sorted by position: slice 5 of 8 is z = 4, whatever the names and numbers of the files say.
  expect(await valueInTheMiddle(app)).toContain('140')

  await app.page.keyboard.press('Control+Shift+O')
  await app.by('path-field').fill(dicom)
  await app.page.keyboard.press('Enter')
  await app.by('choose-series').nth(1).click()
  await expect(app.by('choose-open')).toBeEnabled()
  await app.by('choose-open').click()
  await expect(app.by('case-item')).toHaveCount(2)
  await app.ready()
  await expect(app.by('slice-number')).toContainText('3')
})

const fourD: NiftiToWrite = {
  dims: [32, 28, 6, 5],
  spacing: [1, 1, 2],
  origin: [-16, -14, -6],
  value: (_x, _y, _z, t) => 100 * (t + 1),
}

test('a frame of a file with several is chosen, another one later', async ({ shell, folder }, info) => {
  await writeNifti(join(folder, 'perfusion.nii.gz'), fourD)
  const app = await shell.open({ width: 1280, height: 720 })
  await app.openPath(join(folder, 'perfusion.nii.gz'))
  await expect(app.by('choose-panel')).toContainText('of 5')
  await app.by('choose-frame').fill('9')
  await expect(app.by('choose-panel')).toContainText('A whole number from 1 to 5.')
  await app.page.screenshot({ path: info.outputPath('frames.png') })
  await app.by('choose-frame').fill('4')
  await app.by('choose-frame').press('Enter')
  await app.ready()
  expect(await valueInTheMiddle(app)).toContain('400')

  await app.openPath(join(folder, 'perfusion.nii.gz'))
  await app.by('choose-frame').fill('2')
  await app.by('choose-open').click()
  await expect(app.by('case-item')).toHaveCount(2)
  await app.ready()
  expect(await valueInTheMiddle(app)).toContain('200')

  await app.openPath(join(folder, 'perfusion.nii.gz'))
  await expect(app.by('choose-panel')).toBeVisible()
  await app.page.keyboard.press('Escape')
  await expect(app.by('choose-panel')).toHaveCount(0)
  await expect(app.by('case-item'), 'nothing was added').toHaveCount(2)
})

test('a part of complex numbers is chosen, and the details of the case say which', async ({ shell, folder }) => {
  const path = join(folder, 'phase.nii.gz')
  await writeNifti(path, { ...fourD, dims: [32, 28, 6], datatype: 'complex64', value: () => 30 })
  const app = await shell.open()
  await app.openPath(path)
  await app.by('choose-part').selectOption('imaginary')
  await app.by('choose-part').press('Tab')
  await app.by('choose-open').click()
  await app.ready()
  expect(await valueInTheMiddle(app)).toContain('60')
  await app.page.getByRole('button', { name: 'Case', exact: true }).click()
  await expect(app.by('case-details')).toContainText('Imaginary')
})

/** Drops files made of these bytes anywhere on the window. */
async function drop(app: Workstation, files: { name: string; bytes: Buffer }[]): Promise<void> {
  const sent = files.map(({ name, bytes }) => ({ name, bytes: [...bytes] }))
  const transfer = await app.page.evaluateHandle((list) => {
    const data = new DataTransfer()
    for (const { name, bytes } of list) data.items.add(new File([new Uint8Array(bytes)], name))
    return data
  }, sent)
  await app.page.dispatchEvent('body', 'drop', { dataTransfer: transfer })
}

test('a header with its voxels, and loose DICOM files, are dropped as one image each', async ({ shell, folder }) => {
  const app = await shell.open()
  await expect(app.by('viewer-empty')).toBeVisible()
  const { header, voxels } = niftiPair({ ...fourD, dims: [32, 28, 6] })
  await drop(app, [
    { name: 'pair.img', bytes: voxels },
    { name: 'pair.hdr', bytes: header },
  ])
  await expect(app.case('pair')).toHaveCount(1)
  await app.ready()
  await expect(app.by('slice-number')).toContainText('6')

  await writeSeries(join(folder, 'loose'), abdomen)
  const names = await readdir(join(folder, 'loose'))
  await drop(
    app,
    await Promise.all(names.map(async (name) => ({ name, bytes: await readFile(join(folder, 'loose', name)) }))),
  )
  await expect(app.by('case-item')).toHaveCount(2)
  await expect(app.by('upload')).toHaveCount(0)
})

test('a dropped folder is one case, with the folders in it', async ({ shell, folder }, info) => {
  test.skip(info.project.name === 'electron', 'the folder is dropped by way of the browser')
  const dicom = join(folder, 'from the archive')
  await writeSeries(join(dicom, 'day 1'), abdomen)
  await writeSeries(join(dicom, 'day 1', 'scouts'), scout)
  const app = await shell.open()
  await expect(app.by('viewer-empty')).toBeVisible()
  const browser = await app.page.context().newCDPSession(app.page)
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    const data = { items: [], files: [dicom], dragOperationsMask: 1 }
    await browser.send('Input.dispatchDragEvent', { type, x: 600, y: 400, data })
  }
  await expect(app.by('choose-series')).toHaveCount(2)
  await expect(app.by('choose-panel')).toContainText('from the archive')
  await app.by('choose-open').click()
  await expect(app.by('case-item')).toHaveCount(1)
  await app.ready()
  await expect(app.by('slice-number')).toContainText('8')
})

test('an image that states two positions is not annotated before that was seen', async ({ shell, folder }, info) => {
  const path = join(folder, 'two positions.nii.gz')
  await writeNifti(path, { ...fourD, dims: [32, 28, 6], qformOrigin: [-16, 0, -6] })
  const app = await shell.open({ width: 1280, height: 720 })
  await app.openPath(path)
  await app.ready()
  await expect(app.by('caution-strip')).toContainText('14 mm')
  await app.by('label-add').click()
  await app.by('label-name').last().fill('Lesion')
  await app.by('label-name').last().press('Enter')
  await app.by('tool-brush').click()
  const from = await app.at(-0.03, 0)
  const to = await app.at(0.03, 0)
  const before = await app.pixel(from)
  await app.drag(from, to)
  await expect(app.by('caution-strip')).toHaveAttribute('data-lit', 'true')
  await expect(app.by('viewer-notice')).toContainText('Read the caution')
  await app.page.screenshot({ path: info.outputPath('caution.png') })
  expect(await app.pixel(from), 'nothing was painted').toEqual(before)

  await app.by('caution-other').first().click()
  await app.ready()
  await expect(app.by('viewer-notice')).toContainText('qform')
  if ((await app.by('caution-seen').count()) > 0) await app.by('caution-seen').click()
  await expect(app.by('caution-strip')).toHaveCount(0)
  await app.drag(await app.at(-0.03, 0), await app.at(0.03, 0))
  await app.saved()
  expect(await app.colouredShare()).toBeGreaterThan(0)

  await app.page.reload()
  await app.ready()
  await expect(app.by('caution-strip'), 'it was seen').toHaveCount(0)
})
