import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { tinyNetwork } from '../../src/compute/foreign/testing/networks.ts'
import { picture } from '../fixtures/picture.ts'
import { expect, test } from '../fixtures/test.ts'
import type { Workstation } from '../pages/workstation.ts'

const LONG_NAME = `${'a segmentation network with a name that goes on and on '.repeat(4).trim()}.onnx`

async function choose(app: Workstation, path: string): Promise<void> {
  await app.by('import-sheet').getByTestId('path-field').fill(path)
  await app.by('import-sheet').getByTestId('path-field').press('Enter')
}

test('a network from elsewhere is imported, predicts what it does elsewhere, and is not trained', async ({
  shell,
  folder,
}, info) => {
  await picture(join(folder, 'cells.png'))
  await writeFile(join(folder, 'bright.onnx'), tinyNetwork({ metadata: { 'maskwright.classes': ['Nucleus'] } }))
  const app = await shell.open()
  await app.ready()
  await app.openPath(join(folder, 'cells.png'))
  await expect(app.case('cells').first()).toHaveAttribute('aria-current', 'true')

  await app.by('import-model').click()
  await app.page.screenshot({ path: info.outputPath('choose.png') })
  await choose(app, join(folder, 'bright.onnx'))
  await expect(app.by('import-file')).toContainText('bright.onnx')
  await expect(app.by('import-sheet')).toContainText('grey images of any size')
  await expect(app.by('import-class')).toHaveValue('Nucleus')
  await app.by('import-way').selectOption('bytes')
  await app.page.screenshot({ path: info.outputPath('ready.png') })

  await app.by('import-name').fill('')
  await app.by('import-take').click()
  await expect(app.by('import-outcome')).toContainText('The model needs a name.')
  await app.by('import-name').fill('Bright things')
  await app.by('import-take').click()
  await expect(app.by('import-sheet')).toHaveCount(0)
  await expect(app.by('next-step')).toContainText('Bright things is imported as version 2 and in use.')
  await expect(app.by('model-version').first()).toContainText('imported: Bright things')

  await app.by('predict').click()
  await app.idle()
  await expect(app.by('accept-all')).not.toHaveAttribute('aria-disabled', 'true')
  await app.by('accept-all').click()
  await app.by('save-mask').first().click()
  await expect(app.by('save-result')).toContainText(/saved/i)
  const saved = (await app.by('save-result').getAttribute('data-path')) ?? ''
  const { data } = await sharp(await readFile(saved))
    .toColourspace('b-w')
    .raw()
    .toBuffer({ resolveWithObject: true })
  const wrong = [...data].filter((label, at) => {
    const [x, y] = [at % 96, Math.floor(at / 96)]
    return label !== (x >= 30 && x < 66 && y >= 20 && y < 44 ? 5 : 0)
  })
  expect(wrong).toEqual([])

  await expect(app.by('retrain'), 'what was imported is not trained further').toContainText(/^\s*Train/)
  await app.page.screenshot({ path: info.outputPath('imported.png') })
})

test('what cannot be used is refused with the reason, and another file can be chosen', async ({
  shell,
  folder,
}, info) => {
  await writeFile(join(folder, 'volumes.onnx'), tinyNetwork({ input: ['n', 1, 'd', 'h', 'w'] }))
  await writeFile(join(folder, 'no network.onnx'), 'This is a text.')
  await writeFile(join(folder, 'two.onnx'), tinyNetwork({ moreInputs: ['prior'] }))
  const app = await shell.open()
  await app.ready()
  await app.by('import-model').click()
  for (const [name, said] of [
    ['volumes.onnx', 'only networks for single slices can be used'],
    ['no network.onnx', 'is cut off or is no ONNX file'],
    ['two.onnx', 'has several inputs (image, prior)'],
  ] as const) {
    await choose(app, join(folder, name))
    await expect(app.by('import-refused')).toContainText(name)
    await expect(app.by('import-refused')).toContainText(said)
    if (name === 'no network.onnx') await app.page.screenshot({ path: info.outputPath('refused.png') })
    await app.by('import-another').click()
  }
  await choose(app, join(folder, 'nothing.onnx'))
  await expect(app.by('import-sheet')).toContainText('whose name ends in .onnx')
  await app.page.keyboard.press('Escape')
  await expect(app.by('import-sheet')).toHaveCount(0)
  await expect(app.by('model-version')).toHaveCount(1)
})

test('a small window and a long name leave everything readable and the buttons in reach', async ({
  shell,
  folder,
}, info) => {
  const long = join(folder, 'in')
  await mkdir(long)
  const classes = Array.from({ length: 12 }, (_, at) => `Structure number ${at + 1} of the abdomen`)
  const weights = Array.from({ length: 13 }, (_, at) => [at])
  await writeFile(
    join(long, LONG_NAME),
    tinyNetwork({ weights, bias: weights.map(() => 0), metadata: { 'maskwright.classes': classes } }),
  )
  const app = await shell.open({ width: 1000, height: 560 })
  await app.ready()
  await app.by('import-model').click()
  await choose(app, join(long, LONG_NAME))
  await expect(app.by('import-class')).toHaveCount(12)
  await app.page.screenshot({ path: info.outputPath('small.png') })
  const sheet = await app.by('import-sheet').boundingBox()
  const button = await app.by('import-take').boundingBox()
  if (sheet === null || button === null) throw new Error('the sheet is not on screen')
  expect(sheet.x).toBeGreaterThanOrEqual(0)
  expect(sheet.x + sheet.width).toBeLessThanOrEqual(1000)
  expect(sheet.y + sheet.height).toBeLessThanOrEqual(560)
  expect(button.y + button.height, 'the button is on screen without scrolling').toBeLessThanOrEqual(560)
  const overflow = await app.by('import-sheet').evaluate((element) => element.scrollWidth - element.clientWidth)
  expect(overflow).toBeLessThanOrEqual(0)
})
