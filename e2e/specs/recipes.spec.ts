import { existsSync, readdirSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Locator } from '@playwright/test'
import { cellPictures } from '../fixtures/cells.ts'
import { expect, test } from '../fixtures/test.ts'
import type { Workstation } from '../pages/workstation.ts'

/** Pictures of cells; every third is held out. */
const CELLS = 12

async function choosePath(within: Locator, path: string): Promise<void> {
  await within.getByTestId('path-field').fill(path)
  await within.getByTestId('path-field').press('Enter')
}

async function type(app: Workstation, path: string, text: string): Promise<void> {
  const section = path.split('.')[0] ?? ''
  const field = app.page.locator(`[data-path="${path}"] input`).first()
  if (!(await field.isVisible())) await app.by(`settings-${section}`).click()
  await field.fill(text)
  await field.press('Enter')
}

/** Through the first four steps, to a small network and few steps. */
async function wizard(app: Workstation, data: string, shoot: (name: string) => Promise<unknown>): Promise<Locator> {
  await app.page.keyboard.press('Control+k')
  await app.page.keyboard.type('new from recipe')
  await app.page.keyboard.press('Enter')
  const page = app.by('new-project')
  await page.locator('[data-recipe="wbc"]').click()
  await shoot('recipe')
  await app.by('wizard-next').click()
  await choosePath(page, data)
  await expect(app.by('folder-chosen')).toContainText(data)
  await shoot('data')
  await app.by('wizard-next').click()
  await expect(app.by('findings')).toBeVisible({ timeout: 60_000 })
  return page
}

async function small(app: Workstation): Promise<void> {
  await type(app, 'model.levels', '2')
  await type(app, 'model.base', '4')
  await type(app, 'training.epochs', '3')
  await type(app, 'training.steps', '4')
  await type(app, 'training.batch', '2')
  await type(app, 'training.patch', '32')
}

test('a folder of images and masks becomes a project, is trained on, and reported', async ({ shell, folder }, info) => {
  const data = join(folder, 'cells')
  await cellPictures(data, CELLS)
  const projects = join(folder, 'projects')
  await mkdir(projects)
  const app = await shell.open()
  await app.ready()
  const shoot = (name: string) => app.page.screenshot({ path: info.outputPath(`${name}.png`) })

  const page = await wizard(app, data, shoot)
  await expect(app.by('found-cases')).toHaveText(`${CELLS} cases`)
  await expect(app.by('left-out')).toContainText('odd.png')
  await expect(app.by('thumbnail')).toHaveCount(CELLS)
  await expect(app.by('thumbnail').first().locator('img')).toHaveJSProperty('complete', true)
  await shoot('check')
  await app.by('wizard-next').click()
  await small(app)
  await expect(app.by('augmentation-sheet')).toHaveAttribute('data-state', 'drawn', { timeout: 60_000 })
  await shoot('settings')
  await app.by('wizard-next').click()
  await app.by('project-name').fill('Cells of the e2e')
  await choosePath(page, projects)
  await shoot('project')
  await app.by('wizard-next').click()

  // The new project opens in this window, with its training under way.
  await expect(app.by('training-page')).toBeVisible({ timeout: 60_000 })
  await expect(app.by('training-numbers')).toHaveAttribute('data-epochs', /[1-3]/, { timeout: 120_000 })
  await shoot('training')
  await expect(app.by('training-page')).toHaveAttribute('data-state', 'done', { timeout: 120_000 })
  await expect(app.by('epoch-chart').first()).toHaveAttribute('data-epochs', '3')
  await shoot('done')
  expect(existsSync(join(projects, 'Cells of the e2e'))).toBe(true)

  await app.by('training-report').click()
  await expect(app.by('report-case')).toHaveCount(CELLS / 3)
  await expect(app.by('figure').first()).toHaveAttribute('data-state', 'shown')
  await shoot('report')
  for (const tab of ['Curves', 'Progress', 'Data', 'Settings']) {
    await app.by('report-tabs').getByText(tab, { exact: true }).click()
    if (tab === 'Progress') await expect(app.by('figure').first()).toHaveAttribute('data-state', 'shown')
    await shoot(`report-${tab.toLowerCase()}`)
  }
  await app.by('report-save').click()
  const saved = (await app.by('report-saved').getAttribute('data-path')) ?? ''
  const html = await readFile(saved, 'utf8')
  expect(html).toMatch(/src="data:image\/(png|webp|jpeg);base64,/)
  expect(html, 'it needs nothing from elsewhere').not.toMatch(/(?:src|href)="https?:/)

  // What was trained predicts in the viewer, on the images that stayed where they are.
  await app.page.keyboard.press('Escape')
  await expect(app.by('case-item')).toHaveCount(CELLS)
  await app.ready()
  await expect(app.by('label-row')).toHaveCount(2)
  expect(await app.colouredShare(), 'the masks came with the images').toBeGreaterThan(0.05)
  await expect(app.by('model-version').first()).toContainText('White blood cells')
  await app.by('predict').click()
  await app.idle()
  await expect(app.case('cell-01')).toContainText('Mask imported')
  await shoot('worklist')
  expect(readdirSync(join(data, 'images'))).toHaveLength(CELLS + 1)

  // The project before is one click away, and nothing of this one is left on screen.
  await app.page.keyboard.press('Control+k')
  await app.page.keyboard.type('open project')
  // Refused for as long as the prediction runs.
  await expect(async () => {
    await app.page.keyboard.press('Enter')
    await expect(app.by('recent-project').first()).toBeVisible({ timeout: 1000 })
  }).toPass()
  await shoot('open-project')
  const second = await shell.open()
  await expect(second.by('case-item')).toHaveCount(CELLS)
  await app.by('recent-project').first().click()
  await expect(app.case('CT abdomen A')).toBeVisible()
  await app.ready()
  await expect(app.case('cell-01')).toHaveCount(0)
  await expect(second.case('CT abdomen A'), 'in every window').toBeVisible()
  await expect(second.case('cell-01')).toHaveCount(0)
})

test('a training that is stopped goes on from its last epoch, also after a kill', async ({ shell, folder }, info) => {
  test.skip(shell.host === null, 'the desktop shell ends with its window')
  const data = join(folder, 'cells')
  await cellPictures(data, CELLS)
  await mkdir(join(folder, 'projects'))
  const app = await shell.open()
  await app.ready()
  const page = await wizard(app, data, () => Promise.resolve())
  await app.by('wizard-next').click()
  await small(app)
  await type(app, 'training.epochs', '2000')
  await app.by('wizard-next').click()
  await choosePath(page, join(folder, 'projects'))
  await app.by('wizard-next').click()
  await expect(app.by('training-numbers')).toHaveAttribute('data-epochs', /[2-9]/, { timeout: 120_000 })
  await app.by('training-cancel').click()
  await expect(app.by('training-page')).toHaveAttribute('data-state', 'interrupted', { timeout: 60_000 })
  await app.page.screenshot({ path: info.outputPath('interrupted.png') })
  const before = Number(await app.by('training-numbers').getAttribute('data-epochs'))
  expect(before).toBeGreaterThan(1)

  // A page that is loaded again shows the same.
  await app.page.reload()
  await app.ready()
  await app.by('recipe-training').click()
  await expect(app.by('training-numbers')).toHaveAttribute('data-epochs', String(before))
  await expect(app.by('training-resume')).toContainText(`Go on from epoch ${before + 1}`)
  await app.by('training-resume').click()
  const epochs = async () => Number(await app.by('training-numbers').getAttribute('data-epochs'))
  await expect.poll(epochs, { timeout: 60_000 }).toBeGreaterThan(before + 1)

  const { host } = shell
  if (host === null) return
  await host.kill()
  await expect(app.by('connection-banner')).toBeVisible()
  // The page goes on with the new address, and shows what was kept.
  await app.page.goto(await host.start())
  await expect(app.by('connection-banner')).toHaveCount(0, { timeout: 60_000 })
  await expect(app.by('training-page')).toHaveAttribute('data-state', 'interrupted')
  expect(await epochs()).toBeGreaterThan(before)
  await app.by('training-discard').click()
  await app.by('confirm-yes').click()
  await expect(app.by('training-page')).toHaveAttribute('data-state', 'none')
})

test('a folder without images and masks is refused, and the window may be small', async ({ shell, folder }, info) => {
  await mkdir(join(folder, 'empty'))
  const app = await shell.open({ width: 1280, height: 720 })
  await app.ready()
  await app.by('theme').click()
  await app.page.keyboard.press('Control+k')
  await app.page.keyboard.type('new from recipe')
  await app.page.keyboard.press('Enter')
  const page = app.by('new-project')
  await page.locator('[data-recipe="nuclei"]').click()
  await app.by('wizard-next').click()
  await choosePath(page, join(folder, 'empty'))
  await app.by('wizard-next').click()
  await expect(app.by('check-failed')).toContainText('empty', { timeout: 60_000 })
  await app.page.screenshot({ path: info.outputPath('refused.png') })
  const next = await app.by('wizard-next').boundingBox()
  expect((next?.y ?? 999) + (next?.height ?? 0)).toBeLessThanOrEqual(720)
  const overflow = await page.evaluate((element) => element.scrollWidth - element.clientWidth)
  expect(overflow).toBeLessThanOrEqual(0)
})
