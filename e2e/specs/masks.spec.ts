import { join } from 'node:path'
import { countLabels, readPlainNifti } from '../fixtures/nifti.ts'
import { writeNifti, type NiftiToWrite } from '../fixtures/plainNifti.ts'
import { picture } from '../fixtures/picture.ts'
import { expect, test } from '../fixtures/test.ts'
import type { Workstation } from '../pages/workstation.ts'

test.use({ project: 'empty' })

const scan: NiftiToWrite = {
  dims: [48, 40, 10],
  spacing: [1, 1.5, 3],
  origin: [-20, 14, 7],
  value: (x, y, z) => 10 * z + (x > 12 && x < 36 && y > 10 && y < 30 ? 200 : 0),
}
/** Two blocks, the second of which touches no edge of the image. */
const blocks = (x: number, y: number, z: number): number => {
  if (x >= 10 && x < 20 && y >= 12 && y < 18 && z >= 2 && z < 5) return 1
  return x >= 30 && x < 40 && y >= 20 && y < 26 && z >= 4 && z < 6 ? 2 : 0
}
const BLOCKS = [10 * 6 * 3, 10 * 6 * 2] as const

async function importPath(app: Workstation, path: string): Promise<void> {
  await app.page.keyboard.press('Control+i')
  await app.by('mask-sheet').getByTestId('path-field').fill(path)
  await app.by('mask-sheet').getByTestId('path-field').press('Enter')
}

async function label(app: Workstation, name: string): Promise<void> {
  await app.by('label-add').click()
  await app.by('label-name').last().fill(name)
  await app.by('label-name').last().press('Enter')
  await app.labelNamed(name)
}

async function saveAs(app: Workstation, path: string, format: string): Promise<string> {
  await app.page.keyboard.press('Control+Shift+S')
  await app.by('mask-format').selectOption(format)
  await app.by('save-panel').getByTestId('path-field').fill(path)
  await app.by('save-panel').getByTestId('path-field').press('Enter')
  await expect(app.by('save-panel')).toHaveCount(0)
  await expect(app.by('save-result')).toContainText('Saved and verified')
  return (await app.by('save-result').getAttribute('data-path')) ?? ''
}

test('the mask of a volume goes out in every format and comes back voxel for voxel', async ({
  shell,
  folder,
}, info) => {
  await writeNifti(join(folder, 'scan.nii.gz'), scan)
  await writeNifti(join(folder, 'theirs.nii.gz'), { ...scan, datatype: 'uint8', value: blocks })
  const app = await shell.open({ width: 1280, height: 720 })
  await app.openPath(join(folder, 'scan.nii.gz'))
  await app.ready()
  await label(app, 'Liver')

  await importPath(app, join(folder, 'theirs.nii.gz'))
  await expect(app.by('mask-fit')).toHaveAttribute('data-fit', 'same')
  await expect(app.by('mask-label')).toHaveCount(2)
  await expect(app.by('mask-label').first()).toContainText('Liver')
  await expect(app.by('mask-label').first()).toContainText('180 voxels')
  await expect(app.by('mask-sheet')).toContainText('1 new label will be added')
  await app.page.screenshot({ path: info.outputPath('import.png') })
  await app.by('mask-take').click()
  await expect(app.by('mask-sheet')).toHaveCount(0)
  await expect(app.by('next-step')).toContainText('300 voxels changed by theirs.nii.gz')
  await expect(app.by('label-row')).toHaveCount(2)
  expect(await app.colouredShare()).toBeGreaterThan(0.001)

  const written: [format: string, path: string][] = [
    ['nifti', join(folder, 'out.nii.gz')],
    ['png', join(folder, 'pages')],
    ['tiff', join(folder, 'out.tif')],
    ['instances', join(folder, 'parts')],
    ['coco', join(folder, 'out.json')],
    ['nnunet', join(folder, 'Dataset007_Scan')],
  ]
  for (const [format, path] of written) expect(await saveAs(app, path, format)).toBe(path)
  await app.page.keyboard.press('Control+Shift+S')
  await app.page.screenshot({ path: info.outputPath('save-as.png') })
  await app.page.keyboard.press('Escape')

  for (const [format, path] of written) {
    await app.page.keyboard.press('Control+z')
    await expect.poll(() => app.colouredShare(), `undone before ${format}`).toBeLessThan(0.001)
    const isFile = /\.(nii\.gz|tif|json)$/.test(path)
    await importPath(app, isFile ? path : `${path}/`)
    if (!isFile) {
      // What lies in a folder is offered too: the folder itself is asked for.
      if ((await app.by('mask-take').count()) === 0) await app.by('path-folder').click()
    }
    await expect(app.by('mask-fit'), format).toHaveAttribute('data-fit', 'same')
    await expect(app.by('mask-label'), format).toHaveCount(2)
    await app.by('mask-take').click()
    await expect(app.by('next-step'), format).toContainText('300 voxels changed')
    const again = await saveAs(app, join(folder, `again-${format}.nii.gz`), 'nifti')
    const { voxels, dims, sform } = readPlainNifti(again)
    expect(dims).toEqual(scan.dims)
    expect(sform.map((value) => Math.round(value * 1e4) / 1e4)).toEqual([1, 0, 0, -20, 0, 1.5, 0, 14, 0, 0, 3, 7])
    expect([...countLabels(voxels)].sort(), format).toEqual([
      [1, BLOCKS[0]],
      [2, BLOCKS[1]],
    ])
    const wrong = [...voxels].filter(
      (value, at) => value !== blocks(at % 48, Math.floor(at / 48) % 40, Math.floor(at / 1920)),
    )
    expect(wrong, format).toEqual([])
  }
})

test('the mask of a picture goes out in every format and comes back', async ({ shell, folder }) => {
  await picture(join(folder, 'cells.png'))
  const app = await shell.open()
  await app.openPath(join(folder, 'cells.png'))
  await app.ready()
  await label(app, 'Nucleus')
  await app.by('tool-brush').click()
  await app.drag(await app.at(-0.08, 0), await app.at(0.05, 0.02))
  await app.saved()
  const first = readPlainNifti(await saveAs(app, join(folder, 'first.nii.gz'), 'nifti')).voxels
  const painted = countLabels(first).get(1) ?? 0
  expect(painted).toBeGreaterThan(50)
  for (const [format, name] of [
    ['png', 'cells-mask.png'],
    ['tiff', 'cells-mask.tif'],
    ['instances', 'parts'],
    ['coco', 'cells.json'],
    ['nnunet', 'Dataset002_Cells'],
  ] as const) {
    const path = await saveAs(app, join(folder, name), format)
    await app.page.keyboard.press('Control+z')
    await expect.poll(() => app.colouredShare(), `undone before ${format}`).toBeLessThan(0.001)
    await importPath(app, name.includes('.') ? path : `${path}/`)
    if (!name.includes('.')) await app.by('path-folder').click()
    await app.by('mask-take').click()
    await expect(app.by('next-step'), format).toContainText('changed')
    const again = readPlainNifti(await saveAs(app, join(folder, `again-${format}.nii.gz`), 'nifti')).voxels
    expect([...again], format).toEqual([...first])
  }
})

test('a mask that lies elsewhere is resampled only when that is asked for', async ({ shell, folder }, info) => {
  await writeNifti(join(folder, 'scan.nii.gz'), scan)
  // Two columns to the right and a slice up: where the same blocks lie in the world.
  await writeNifti(join(folder, 'moved.nii.gz'), { ...scan, origin: [-18, 14, 10], datatype: 'uint8', value: blocks })
  await writeNifti(join(folder, 'small.nii.gz'), {
    ...scan,
    dims: [24, 20, 5],
    spacing: [2, 3, 6],
    datatype: 'uint8',
    value: (x, y) => Number(x > 8 && x < 14 && y > 8 && y < 14),
  })
  await picture(join(folder, 'flat.png'))
  const app = await shell.open({ width: 1280, height: 720 })
  await app.openPath(join(folder, 'scan.nii.gz'))
  await app.ready()
  await label(app, 'Liver')

  await importPath(app, join(folder, 'flat.png'))
  await expect(app.by('mask-fit')).toHaveAttribute('data-fit', 'shape')
  await expect(app.by('mask-take'), 'there is no way').toHaveCount(0)
  await app.page.screenshot({ path: info.outputPath('shape.png') })
  await app.by('mask-another').click()

  await app.by('mask-sheet').getByTestId('path-field').fill(join(folder, 'small.nii.gz'))
  await app.by('mask-sheet').getByTestId('path-field').press('Enter')
  await expect(app.by('mask-fit')).toHaveAttribute('data-fit', 'shape')
  await expect(app.by('mask-take')).toContainText('Resample')
  await app.by('mask-another').click()

  await app.by('mask-sheet').getByTestId('path-field').fill(join(folder, 'moved.nii.gz'))
  await app.by('mask-sheet').getByTestId('path-field').press('Enter')
  await expect(app.by('mask-fit')).toHaveAttribute('data-fit', 'moved')
  await expect(app.by('mask-difference')).toContainText('mm from the image')
  await app.page.screenshot({ path: info.outputPath('moved.png') })
  await app.by('mask-cancel').click()
  await expect(app.by('mask-sheet')).toHaveCount(0)
  expect(await app.colouredShare(), 'nothing was changed').toBeLessThan(0.001)

  await importPath(app, join(folder, 'moved.nii.gz'))
  await app.by('mask-one').check()
  await app.by('mask-one-label').selectOption({ label: 'Liver' })
  await app.by('mask-take').click()
  await expect(app.by('next-step')).toContainText('300 voxels changed')
  const { voxels } = readPlainNifti(await saveAs(app, join(folder, 'out.nii.gz'), 'nifti'))
  const wrong = [...voxels].filter((value, at) => {
    const [x, y, z] = [at % 48, Math.floor(at / 48) % 40, Math.floor(at / 1920)]
    return value !== Number(blocks(x - 2, y, z - 1) > 0)
  })
  expect(wrong).toEqual([])
})

test('all cases with a mask are written as a data set, and the folder is named', async ({ shell, folder }, info) => {
  for (const name of ['one', 'two']) {
    await writeNifti(join(folder, `${name}.nii.gz`), {
      ...scan,
      value: (x, y, z) => scan.value(x, y, z, 0) + name.length * x,
    })
  }
  await writeNifti(join(folder, 'two2.nii.gz'), { ...scan, value: (x, y, z) => x + y + z })
  await writeNifti(join(folder, 'theirs.nii.gz'), { ...scan, datatype: 'uint8', value: blocks })
  const app = await shell.open({ width: 1280, height: 720 })
  for (const name of ['one', 'two2']) {
    await app.openPath(join(folder, `${name}.nii.gz`))
    await expect(app.case(name)).toHaveAttribute('aria-current', 'true')
    await app.ready()
    await importPath(app, join(folder, 'theirs.nii.gz'))
    await app.by('mask-take').click()
    await expect(app.by('mask-sheet')).toHaveCount(0)
  }
  await app.by('export-dataset').click()
  await app.page.screenshot({ path: info.outputPath('dataset.png') })
  await app.by('dataset-panel').getByTestId('path-field').fill(join(folder, 'Dataset001_Both'))
  await app.by('dataset-write').click()
  await expect(app.by('dataset-result')).toContainText('2 masks')
  await expect(app.by('dataset-result')).toHaveAttribute('data-path', join(folder, 'Dataset001_Both'))
  await app.page.screenshot({ path: info.outputPath('dataset-done.png') })

  await app.by('export-dataset').click()
  await app.by('dataset-panel').getByTestId('path-field').fill(join(folder, 'Dataset001_Both'))
  await app.by('dataset-write').click()
  await expect(app.by('dataset-panel').or(app.by('error-banner')), 'a folder that is in use is refused').toContainText(
    'Dataset001_Both',
  )
})
