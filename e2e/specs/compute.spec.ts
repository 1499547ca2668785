import { expect, test } from '../fixtures/test.ts'
import type { Locator } from '@playwright/test'
import type { Workstation } from '../pages/workstation.ts'

async function panel(app: Workstation): Promise<Locator> {
  await app.by('compute-status').click()
  const sheet = app.by('doctor')
  await expect(sheet.getByTestId('rung')).toHaveCount(6, { timeout: 60_000 })
  return sheet
}

const rung = (sheet: Locator, name: string): Locator => sheet.locator(`[data-rung="${name}"]`)

test('the Compute panel tells every rung, and another one is used on request', async ({ shell }, info) => {
  const app = await shell.open()
  await app.ready()
  const sheet = await panel(app)
  // Whichever is faster on this machine, measured a moment ago.
  const fastest = sheet.locator('[data-rung].in-use')
  await expect(fastest).toHaveCount(1)
  await expect(fastest).toContainText(/in use/)
  for (const way of [sheet.locator('[data-provider="cpu"]'), rung(sheet, 'wasm')]) {
    await expect(way).toContainText(/in use|available/)
    await expect(way).toContainText(/ms a step/)
    await expect(way).toContainText(/self-test passed/)
  }
  // Not installed: a reason, and no button.
  await expect(rung(sheet, 'tensorflow')).toContainText(/not available/)
  await expect(rung(sheet, 'tensorflow').getByRole('button')).toHaveCount(0)
  await app.page.screenshot({ path: info.outputPath('compute.png') })

  await rung(sheet, 'js').getByTestId('use-rung').click()
  await expect(rung(sheet, 'js')).toContainText(/in use/, { timeout: 60_000 })
  await expect(app.by('compute-choice')).toContainText(/chosen by hand/)
  await expect(app.by('compute-status')).toContainText(/^js/)
  await app.page.screenshot({ path: info.outputPath('compute-by-hand.png') })

  await app.by('choose-automatically').click()
  await expect(fastest).not.toHaveAttribute('data-rung', 'js', { timeout: 60_000 })
  await app.page.keyboard.press('Escape')
  await app.by('predict').first().click()
  await expect.poll(() => app.colouredShare(), { timeout: 60_000 }).toBeGreaterThan(0.02)
})

test('a change of the rung waits for the job that runs', async ({ shell }, info) => {
  const app = await shell.open()
  await app.ready()
  await app.paintLiver()
  await app.by('retrain').first().click()
  await expect(app.by('training-chart')).toBeVisible({ timeout: 60_000 })
  const sheet = await panel(app)
  const before = await sheet.boundingBox()
  await app.by('compute-threads').selectOption('1')
  await expect(app.by('compute-problem')).toContainText(/wait|cancel/i)
  expect(await sheet.boundingBox(), 'what was clicked stays where it is').toEqual(before)
  await app.page.screenshot({ path: info.outputPath('compute-busy.png') })
  await expect(sheet.locator('[data-rung].in-use')).toHaveCount(1)
  await sheet.getByRole('heading', { name: 'Compute' }).click()
  await app.page.keyboard.press('Control+.')
  await app.idle()
  await expect(sheet).toBeVisible()
  await expect(app.by('compute-problem'), 'the refusal ends with the job').toHaveCount(0)
})
