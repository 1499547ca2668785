/**
 * Takes the pictures of the README and the user guide from the real interface on a fresh demo project:
 *   node e2e/screenshots.ts
 * Run it after a change of the interface and commit what it wrote to docs/images.
 */
import { ARCH } from './arch.ts'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from '@playwright/test'
import sharp from 'sharp'
import { cellPictures } from './fixtures/cells.ts'
import { Host, root } from './fixtures/host.ts'
import { noVips, slide } from './fixtures/slide.ts'
import { learningPictures } from './learningPictures.ts'
import { Workstation } from './pages/workstation.ts'

const images = join(root, 'docs', 'images')
const folder = await mkdtemp(join(tmpdir(), 'maskwright-pictures-'))
const host = new Host(folder, null)
const executablePath = existsSync('/usr/bin/chromium') ? '/usr/bin/chromium' : undefined
const browser = await chromium.launch({
  ...(executablePath === undefined ? {} : { executablePath }),
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
})

try {
  await mkdir(images, { recursive: true })
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
  const app = new Workstation(page)
  /** A palette is enough for a picture of an interface, at a quarter of the size. */
  const shoot = async (name: string) => {
    const bytes = await sharp(await page.screenshot())
      .png({ palette: true, quality: 90, effort: 10 })
      .toBuffer()
    await writeFile(join(images, `${name}.png`), bytes)
  }

  /** One stroke through points given as fractions of the viewer from its middle. */
  const stroke = async (points: readonly (readonly [number, number])[]) => {
    for (const [nth, [dx, dy]] of points.entries()) {
      const { x, y } = await app.at(dx, dy)
      await page.mouse.move(x, y, { steps: 6 })
      if (nth === 0) await page.mouse.down()
    }
    await page.mouse.up()
  }

  await page.goto(await host.start())
  await app.ready()
  await shoot('start')

  await app.by('predict').first().click()
  await app.case('CT abdomen A').getByText('Predicted').waitFor({ timeout: 60_000 })
  await app.idle()
  await shoot('predicted')

  // What the model was not taught: the arch of the vertebra, here on the middle slice.
  await app.by('accept-slice').first().click()
  await app.saved()
  await app.labelNamed('Vertebra')
  await app.by('tool-brush').click()
  await app.by('brush-size').fill('2.5')
  await stroke(ARCH)
  await stroke([
    [0.011, 0.235],
    [0.014, 0.262],
  ])
  await app.saved()
  const at = await app.at(0.011, 0.232)
  await page.mouse.move(at.x, at.y)
  await shoot('corrected')

  await app.by('retrain').first().click()
  await app.by('training-chart').waitFor({ timeout: 60_000 })
  await app.idle()
  for (let slice = 0; slice < 3; slice++) await page.keyboard.press('ArrowDown')
  await page.mouse.move(at.x, at.y)
  await app.ready()
  await shoot('workstation')

  await app.by('compute-status').click()
  await app.by('doctor').getByText('in use', { exact: true }).first().waitFor({ timeout: 60_000 })
  await shoot('compute')
  await page.keyboard.press('Escape')

  await app.by('save-mask').first().click()
  await app.by('save-result').waitFor()
  await shoot('saved')

  const saved = await app.by('save-result').getAttribute('data-path')
  await page.keyboard.press('Control+i')
  await app
    .by('mask-sheet')
    .getByTestId('path-field')
    .fill(saved ?? '')
  await app.by('mask-sheet').getByTestId('path-field').press('Enter')
  await app.by('mask-label').first().waitFor()
  await shoot('import-mask')
  await page.keyboard.press('Escape')

  await page.keyboard.press('?')
  await app.by('help-sheet').waitFor()
  await shoot('help')
  await page.keyboard.press('Escape')

  await learningPictures(app, shoot)

  if (noVips() === null) {
    await app.openPath(await slide(folder))
    await page.locator('[data-testid=viewer-canvas][data-kind=slide][data-settled=true]').waitFor({ timeout: 60_000 })
    const middle = await app.at(0.1, 0.05)
    await page.mouse.move(middle.x, middle.y)
    for (let turn = 0; turn < 6; turn++) await page.mouse.wheel(0, -100)
    await page.keyboard.press('g')
    await app.drag(await app.at(-0.12, -0.15), await app.at(0.14, 0.17))
    await page.locator('[data-testid=viewer-canvas][data-settled=true]').waitFor({ timeout: 60_000 })
    await shoot('slide')
  }

  const data = join(folder, 'blood')
  await cellPictures(data, 24)
  await mkdir(join(folder, 'projects'))
  const choose = async (path: string) => {
    await app.by('new-project').getByTestId('path-field').fill(path)
    await app.by('new-project').getByTestId('path-field').press('Enter')
  }
  const next = () => app.by('wizard-next').click()
  const type = async (path: string, text: string) => {
    const field = page.locator(`[data-path="${path}"] input`).first()
    if (!(await field.isVisible())) await app.by(`settings-${path.split('.')[0] ?? ''}`).click()
    await field.fill(text)
    await field.press('Enter')
  }
  await page.keyboard.press('Control+k')
  await page.keyboard.type('new from recipe')
  await page.keyboard.press('Enter')
  await page.locator('[data-recipe="wbc"]').click()
  await next()
  await choose(data)
  await next()
  await app.by('findings').waitFor({ timeout: 60_000 })
  await shoot('recipe-check')
  await next()
  for (const [path, value] of [
    ['model.base', '8'],
    ['training.epochs', '12'],
    ['training.steps', '10'],
  ] as const) {
    await type(path, value)
  }
  await next()
  await app.by('project-name').fill('White blood cells')
  await choose(join(folder, 'projects'))
  await next()
  // Epochs this short may be told of several at once, so the first picture with most of the curve will do.
  const mostOfThem = [8, 9, 10, 11, 12].map((done) => `[data-testid=training-numbers][data-epochs="${done}"]`)
  await page.locator(mostOfThem.join(', ')).waitFor({ timeout: 300_000 })
  await shoot('recipe-training')
  await page.locator('[data-testid=training-page][data-state=done]').waitFor({ timeout: 300_000 })
  await app.by('training-report').click()
  await page.locator('[data-testid=figure][data-state=shown]').first().waitFor()
  await shoot('recipe-report')
} finally {
  await browser.close()
  await host.stop()
  await rm(folder, { recursive: true, force: true })
}
