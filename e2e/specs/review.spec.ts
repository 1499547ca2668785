import { expect, test } from '../fixtures/test.ts'
import type { Workstation } from '../pages/workstation.ts'

/** Lets the model draw a first mask of the case on screen. */
async function predict(app: Workstation): Promise<void> {
  await app.by('predict').first().click()
  await expect(app.case('CT abdomen A')).toContainText('Predicted', { timeout: 120_000 })
  await app.idle()
}

const mark = (app: Workstation, kind: string) => app.by('slice-slider').locator(`.${kind}`)

test('slices are approved by key, in part and as a whole, and each is undone', async ({ shell }, info) => {
  const app = await shell.open()
  await app.ready()
  await expect(app.by('slice-state')).toHaveText('not started')
  await predict(app)
  await expect(app.by('slice-state')).toHaveText('predicted')

  // What is seen is what is approved: the prediction goes into the mask first.
  await app.page.keyboard.press('q')
  await expect(app.by('slice-state')).toHaveText('approved')
  await expect(app.by('approve-slice')).toHaveAttribute('aria-pressed', 'true')
  await expect(mark(app, 'approved')).toHaveCount(1)
  await expect(app.case('CT abdomen A')).toContainText('1 slice approved')
  await app.page.screenshot({ path: info.outputPath('approved.png') })
  await app.page.keyboard.press('Control+z')
  await expect(app.by('slice-state')).toHaveText('predicted')
  await app.page.keyboard.press('Control+Shift+z')
  await expect(app.by('slice-state')).toHaveText('approved')
  await app.page.keyboard.press('q')
  await expect(app.by('slice-state')).toHaveText('predicted')

  // A part of another slice: the rest of it teaches nothing.
  await app.page.keyboard.press('PageDown')
  await app.ready()
  for (let step = 0; step < 4; step++) await app.page.keyboard.press('+')
  await app.page.keyboard.press('Shift+V')
  await expect(app.by('viewer-notice')).toContainText(/\d+ × \d+ pixels of it are approved/)
  await expect(app.by('slice-state')).toHaveText('corrected in part')
  await expect(mark(app, 'painted')).toHaveCount(1)
  await app.by('approve-more').click()
  await expect(app.by('slice-coverage').locator('label.on')).toHaveText('Where painted')
  await app.page.screenshot({ path: info.outputPath('part.png') })
  await app.by('slice-coverage').getByText('All of it').click()
  await expect(app.by('slice-state')).toHaveText('corrected')
  await app.page.keyboard.press('Escape')
  await app.page.keyboard.press('f')

  // The whole case, and back: what was not looked at is left as it is.
  await app.page.keyboard.press('Shift+Q')
  await expect(app.by('viewer-notice')).toContainText(/approved\. \d+ more were not on screen yet/)
  await app.page.keyboard.press('Control+z')
  const slices = Number(await app.by('slice-slider').getAttribute('aria-valuemax'))
  await app.page.keyboard.press('Home')
  for (let slice = 1; slice <= slices; slice++) {
    await app.ready()
    await app.page.keyboard.press('PageDown')
  }
  await app.page.keyboard.press('Shift+Q')
  await expect(app.case('CT abdomen A')).toContainText('Approved', { timeout: 30_000 })
  await expect(app.by('slice-state')).toHaveText('approved')
  await app.saved()
  await app.page.screenshot({ path: info.outputPath('case.png') })
  await app.page.keyboard.press('Control+z')
  await expect(app.by('slice-state')).toHaveText('predicted')
  // It is all in the journal: another window sees the same.
  const other = await shell.open()
  await other.ready()
  await expect(mark(other, 'corrected').first()).toBeVisible()
})

test('what is corrected from now on teaches where it was painted, after a choice that stays', async ({
  shell,
}, info) => {
  const app = await shell.open()
  await app.ready()
  await app.by('approve-more').click()
  await app.by('coverage').getByText('Where painted').click()
  await expect(app.by('coverage').locator('label.on')).toHaveText('Where painted')
  await app.page.keyboard.press('Escape')
  await app.paintLiver()
  await expect(app.by('slice-state')).toHaveText('corrected in part')
  await app.page.reload()
  await app.ready()
  await expect(app.by('slice-state')).toHaveText('corrected in part')
  await app.by('approve-more').click()
  await expect(app.by('coverage').locator('label.on')).toHaveText('Where painted')
  await app.page.screenshot({ path: info.outputPath('coverage.png') })
})

test('how unsure the model is lies over the image, as strong as wanted', async ({ shell }, info) => {
  const app = await shell.open()
  await app.ready()
  await app.page.keyboard.press('u')
  await expect(app.by('uncertainty-legend')).toContainText('Not known')
  await predict(app)
  // Nothing but uncertainty has colours on a CT.
  await app.page.keyboard.press('o')
  await expect(app.by('uncertainty-legend')).toContainText('unsure')
  await expect.poll(() => app.colouredShare()).toBeGreaterThan(0.005)
  await app.page.screenshot({ path: info.outputPath('uncertainty.png') })
  await app.by('uncertainty-opacity').fill('0')
  await expect.poll(() => app.colouredShare()).toBe(0)
  await app.by('uncertainty-opacity').fill('1')
  await expect.poll(() => app.colouredShare()).toBeGreaterThan(0.005)
  // Cut through the slices, it is put together of them.
  await app.page.keyboard.press('y')
  await expect.poll(() => app.colouredShare()).toBeGreaterThan(0.005)
  await app.page.keyboard.press('u')
  await expect.poll(() => app.colouredShare()).toBe(0)
})

test('the queue leads from one slice that is worth a look to the next', async ({ shell }, info) => {
  // Every slice of every case is looked at.
  test.setTimeout(420_000)
  const app = await shell.open()
  await app.ready()
  await app.by('worklist-tabs').getByText('Queue').click()
  await expect(app.by('queue-empty')).toContainText('Nothing is ranked yet')
  await app.by('rank-now').click()
  await expect(app.by('queue-row').first()).toBeVisible({ timeout: 240_000 })
  await app.idle()
  await app.page.screenshot({ path: info.outputPath('queue.png') })

  /** Name and slice of the rows, from the top. */
  const rows = async (count: number) => (await app.by('queue-row').allInnerTexts()).slice(0, count).map(placeOf)
  const placeOf = (words: string) => words.split('\n').slice(0, 2).join(', ')
  const current = app.by('queue-row').and(app.page.locator('[aria-current="true"]'))
  const here = async () => placeOf(await current.innerText())
  const [first, second, third] = await rows(3)
  await app.page.keyboard.press('n')
  await app.ready()
  expect(await here()).toBe(first)
  await app.page.keyboard.press('n')
  await app.ready()
  expect(await here()).toBe(second)
  await app.page.keyboard.press('Shift+N')
  await app.ready()
  expect(await here()).toBe(first)

  // What was dealt with leaves the queue.
  await app.page.keyboard.press('q')
  await expect(app.by('slice-state')).toHaveText('approved')
  await expect.poll(() => rows(2)).toEqual([second, third])
  await app.page.keyboard.press('n')
  await app.ready()
  expect(await here()).toBe(second)
  await app.page.keyboard.press('n')
  await app.ready()
  expect(await here()).toBe(third)

  await app.by('queue-by').getByText('By case').click()
  await expect(app.by('queue-row').first()).toContainText(/\d+ slices? to look at/)
  await app.page.screenshot({ path: info.outputPath('cases.png') })
  await app.page.reload()
  await app.ready()
  await app.page.keyboard.press('n')
  await app.by('worklist-tabs').getByText('Queue').click()
  await expect(app.by('queue-ranked')).toHaveText('By version 1')
})

test('Live waits while the pen is down, and shows what it predicts by itself', async ({ shell }, info) => {
  test.setTimeout(420_000)
  const app = await shell.open()
  await app.ready()
  await app.paintLiver()
  await expect(app.by('slice-state')).toHaveText('corrected')
  await app.by('live').click()
  const state = app.by('live-state')
  await expect(state).toHaveAttribute('data-phase', 'training', { timeout: 120_000 })

  // A slice that nobody asked to predict.
  await app.page.keyboard.press('PageDown')
  await app.ready()
  await expect(app.by('slice-state')).toHaveText('predicted', { timeout: 60_000 })
  await expect.poll(() => app.colouredShare(), { timeout: 60_000 }).toBeGreaterThan(0.001)
  await app.page.screenshot({ path: info.outputPath('live.png') })

  const { x, y } = await app.at(0.05, 0.05)
  await app.page.mouse.move(x, y)
  await app.page.mouse.down()
  await app.page.mouse.move(x + 40, y, { steps: 4 })
  await expect(state).toHaveAttribute('data-phase', 'paused')
  await app.page.mouse.up()
  await expect(app.by('slice-state')).toHaveText('corrected')
  await app.saved()
  await expect(state).toHaveAttribute('data-phase', 'training', { timeout: 60_000 })
  await app.by('live').click()
  await expect(app.by('live')).toHaveAttribute('aria-pressed', 'false', { timeout: 120_000 })
})

for (const theme of ['dark', 'light'] as const) {
  test(`everything about slices fits a small window, ${theme}`, async ({ shell }, info) => {
    const app = await shell.open({ width: 1280, height: 720 })
    await app.ready()
    if (theme === 'light') await app.by('theme').click()
    await predict(app)
    await app.page.keyboard.press('u')
    await app.by('worklist-tabs').getByText('Queue').click()
    await app.by('approve-more').click()
    const panel = await app.by('approve-panel').boundingBox()
    const viewer = await app.by('viewer-canvas').boundingBox()
    if (panel === null || viewer === null) throw new Error('the panel is not on screen')
    expect(panel.x).toBeGreaterThan(viewer.x)
    expect(panel.y + panel.height).toBeLessThan(viewer.y + viewer.height)
    await app.page.screenshot({ path: info.outputPath(`small-${theme}.png`) })
    await app.page.keyboard.press('Escape')
    await expect(app.by('approve-panel')).toHaveCount(0)
  })
}
