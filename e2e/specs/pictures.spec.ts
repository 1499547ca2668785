import { copyFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { picture } from '../fixtures/picture.ts'
import { expect, test } from '../fixtures/test.ts'

test('a picture: painted where the pointer was, and saved so', async ({ shell, folder }, info) => {
  const path = join(folder, 'Zellen ä 1.png')
  await picture(path)
  const app = await shell.open()
  await app.ready()
  await app.openPath(path)
  await expect(app.case('Zellen ä 1').first()).toHaveAttribute('aria-current', 'true')
  await app.ready()
  await expect(app.by('slice-slider'), 'a picture has no slices to scroll').toHaveCount(0)

  await app.labelNamed('Nucleus')
  await app.by('tool-brush').click()
  await app.by('brush-size').fill('4')
  const from = await app.at(-0.1, 0.05)
  await app.page.mouse.move(from.x, from.y)
  await expect(app.by('readout-voxel')).toContainText(/\d+/)
  const [x = -1, y = -1] = [...((await app.by('readout-voxel').textContent()) ?? '').matchAll(/\d+/g)].map(Number)
  await app.drag(from, await app.at(0.1, 0.05))
  await app.saved()

  await app.by('save-mask').first().click()
  await expect(app.by('save-result')).toContainText(/saved/i)
  const saved = (await app.by('save-result').getAttribute('data-path')) ?? ''
  const mask = await sharp(await readFile(saved))
    .toColourspace('b-w')
    .raw()
    .toBuffer({ resolveWithObject: true })
  expect([mask.info.width, mask.info.height, mask.info.channels]).toEqual([96, 64, 1])
  expect(new Set(mask.data)).toEqual(new Set([0, 5]))
  expect(mask.data[y * 96 + x], 'the pixel that was named under the pointer').toBe(5)
  expect(mask.data[(63 - y) * 96 + x], 'and not its mirror').toBe(0)
  await app.page.screenshot({ path: info.outputPath('picture.png') })
})

test('a dropped file becomes a case; its bytes travel', async ({ shell, folder }) => {
  const path = join(folder, 'dropped.png')
  await picture(path)
  const app = await shell.open()
  await app.ready()
  const bytes = (await readFile(path)).toString('base64')
  const data = await app.page.evaluateHandle((text) => {
    const transfer = new DataTransfer()
    const raw = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))
    transfer.items.add(new File([raw], 'dropped.png', { type: 'image/png' }))
    return transfer
  }, bytes)
  for (const type of ['dragenter', 'dragover', 'drop']) {
    await app.by('viewer-canvas').dispatchEvent(type, { dataTransfer: data })
  }
  await expect(app.case('dropped').first()).toHaveAttribute('aria-current', 'true')
  await app.ready()
  const middle = await app.pixel(await app.at(0, 0))
  expect(middle.r, 'the bright square is on screen').toBeGreaterThan(150)
})

test('the same bytes under another name are the case that is there, and that is said', async ({ shell, folder }) => {
  await picture(join(folder, 'first.png'))
  await copyFile(join(folder, 'first.png'), join(folder, 'copy.png'))
  const app = await shell.open()
  await app.ready()
  await app.openPath(join(folder, 'first.png'))
  await expect(app.case('first').first()).toHaveAttribute('aria-current', 'true')
  const cases = await app.by('case-item').count()
  await app.openPath(join(folder, 'copy.png'))
  await expect(app.by('viewer-notice')).toContainText('copy.png is on the worklist already, as first.')
  await expect(app.by('case-item')).toHaveCount(cases)
})
