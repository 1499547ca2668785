import { readFileSync } from 'node:fs'
import type { Workstation } from '../pages/workstation.ts'
import { ARCH } from '../arch.ts'
import { expect, test } from '../fixtures/test.ts'

/** There is something to learn within a few steps. */
async function correct(app: Workstation): Promise<void> {
  await app.labelNamed('Vertebra')
  await app.by('tool-brush').click()
  await app.by('brush-size').fill('2.5')
  for (const [n, [x, y]] of ARCH.slice(1).entries()) {
    const [fromX, fromY] = ARCH[n] ?? [x, y]
    await app.drag(await app.at(fromX, fromY), await app.at(x, y))
  }
  await app.saved()
}

/** Predicts the case on screen and says of some slices that they are right as they are. */
async function approve(app: Workstation, slices: number): Promise<void> {
  await app.by('predict').first().click()
  await expect(app.by('job-cancel')).toBeVisible()
  await app.idle(180_000)
  for (let slice = 0; slice < slices; slice++) {
    await app.page.keyboard.press('q')
    await app.saved()
    await app.page.keyboard.press('ArrowDown')
    await app.ready()
  }
}

/** Sets the second case aside: what it holds is what the model in use predicts, so that no other can be better there. */
async function holdOut(app: Workstation): Promise<void> {
  await app.case('CT abdomen B').first().click()
  await app.ready()
  await approve(app, 8)
  await app.page.keyboard.press('m')
  await app.by('models-tabs').getByText('Hold-out').click()
  await app.by('holdout-case').filter({ hasText: 'CT abdomen B' }).click()
  await app.by('holdout-freeze').click()
  await expect(app.by('holdout-state')).toHaveAttribute('data-cases', '1')
}

async function retrain(app: Workstation): Promise<void> {
  // Long enough to learn something on a slow computer.
  await app.by('training-seconds').selectOption('30')
  await app.by('retrain').first().click()
  await expect(app.by('job-cancel')).toBeVisible()
  await app.idle(180_000)
}

test.describe('corrections that teach', () => {
  test.setTimeout(900_000)

  test('a version that is no better is kept aside, used with a reason, and rolled back', async ({ shell }, info) => {
    const app = await shell.open()
    await app.ready()
    const shoot = (name: string) => app.page.screenshot({ path: info.outputPath(`${name}.png`) })
    await holdOut(app)
    await shoot('holdout')
    await app.page.keyboard.press('Escape')

    await app.openCase('CT abdomen A')
    // Alone: a slice beside it that is approved without the arch would say the opposite.
    await approve(app, 0)
    await correct(app)
    await retrain(app)

    // Judged on the hold-out, and not used: the one that was in use still is.
    const judged = app.by('judgement-result')
    await expect(judged.getByTestId('judgement')).toHaveAttribute('data-verdict', 'aside')
    await expect(judged.getByTestId('judgement-table')).toContainText('All labels')
    await expect(app.page.locator('[data-testid=model-version][data-version="1"]')).toHaveAttribute(
      'data-active',
      'true',
    )
    await shoot('kept-aside')

    // Used all the same: only with a reason, which is kept.
    await app.by('override').click()
    await expect(app.by('override-use')).toBeDisabled()
    await app.by('override-reason').fill('The hold-out has none of what I corrected.')
    await shoot('override')
    await app.by('override-use').click()
    await expect(app.page.locator('[data-testid=model-version][data-version="2"]')).toHaveAttribute(
      'data-active',
      'true',
    )
    await expect(judged.getByTestId('judgement-override')).toContainText('The hold-out has none of what I corrected.')

    // Back in one click.
    await app.by('roll-back').click()
    await expect(app.page.locator('[data-testid=model-version][data-version="1"]')).toHaveAttribute(
      'data-active',
      'true',
    )

    // Everything that is known of it, by case too.
    await app.page.keyboard.press('m')
    await app.by('models-tabs').getByText('Versions').click()
    await app.page.locator('[data-testid=version-row][data-version="2"]').click()
    await expect(app.by('version-detail')).toHaveAttribute('data-version', '2')
    await expect(app.by('judgement-cases')).toContainText('CT abdomen B')
    await expect(app.by('version-data')).toContainText('CT abdomen A')
    await app.by('version-notes').fill('Learned from one stroke.')
    await app.by('version-add-tag').fill('first try')
    await app.by('version-add-tag').press('Enter')
    await expect(app.by('version-tag')).toHaveText('first try')
    await shoot('versions')

    // Side by side on a case of one's choice.
    await app.by('version-compare').click()
    await expect(app.page.locator('[data-testid=compare-side] [data-ready=true]')).toHaveCount(2, { timeout: 60_000 })
    await expect(app.by('compare-differ')).toContainText(/differ|alike/)
    await shoot('compare')
    await app.by('compare-case').selectOption({ label: 'CT abdomen B' })
    await expect(app.page.locator('[data-testid=compare-side] [data-ready=true]')).toHaveCount(2, { timeout: 60_000 })

    // Curves as numbers and as a picture.
    await app.by('models-tabs').getByText('Curves').click()
    await expect(app.by('version-chart').first()).toHaveAttribute('data-dots', /[1-9]/)
    await shoot('curves')
    await app.by('curves-csv').click()
    await expect(app.by('models-saved')).toHaveAttribute('data-kind', 'csv')
    const csv = readFileSync((await app.by('models-saved').getAttribute('data-path')) ?? '', 'utf8').trim()
    expect(csv.split(/\r?\n/), 'a head and a line for each version').toHaveLength(3)
    await app.by('curves-svg').click()
    await expect(app.by('models-saved')).toHaveAttribute('data-kind', 'svg')
    const svg = readFileSync((await app.by('models-saved').getAttribute('data-path')) ?? '', 'utf8')
    expect(svg).toContain('<svg')
    await app.by('curves-gif').click()
    await expect(app.by('models-saved')).toHaveAttribute('data-kind', 'gif', { timeout: 60_000 })
    const gif = readFileSync((await app.by('models-saved').getAttribute('data-path')) ?? '')
    expect(gif.subarray(0, 6).toString('latin1')).toBe('GIF89a')

    // One file holds a version; it cannot come in twice.
    await app.by('models-tabs').getByText('Versions').click()
    await app.by('version-export').click()
    await expect(app.by('models-saved')).toHaveAttribute('data-kind', 'version', { timeout: 60_000 })
    const file = (await app.by('models-saved').getAttribute('data-path')) ?? ''
    await app.by('import-version').click()
    await app.by('import-version-sheet').getByTestId('path-field').fill(file)
    await app.by('file-choice-take').click()
    await expect(app.by('import-version-sheet')).toContainText('in the project already')
    await shoot('import-refused')
    await app.page.keyboard.press('Escape')

    // Its weights are given up on request; what is known of it stays.
    await app.by('prune-begin').click()
    await app.page
      .locator('li')
      .filter({ has: app.page.locator('[data-version="2"]') })
      .getByTestId('prune-pick')
      .check()
    await shoot('prune')
    await app.by('prune').click()
    await app.by('confirm-yes').click()
    await expect(app.page.locator('[data-testid=version-row][data-version="2"]')).toContainText('no weights')
    await expect(app.by('version-notes')).toHaveValue('Learned from one stroke.')
    await expect(app.by('version-use')).toHaveCount(0)
  })

  test('without a hold-out a new version is used, and says that it is not proven', async ({ shell }) => {
    const app = await shell.open()
    await app.ready()
    // Alone: a slice beside it that is approved without the arch would say the opposite.
    await approve(app, 0)
    await correct(app)
    await retrain(app)
    await expect(app.page.locator('[data-testid=model-version][data-version="2"]')).toHaveAttribute(
      'data-active',
      'true',
    )
    await expect(app.by('judgement')).toHaveAttribute('data-verdict', 'unproven')
    // The sections of cells show it, and none of them was learned from.
    await expect(app.by('unseen-labels')).toContainText('Nucleus')
    await app.by('choose-holdout').click()
    await expect(app.by('holdout')).toBeVisible()
    // What was learned from cannot be set aside any more.
    await expect(app.by('holdout-case').filter({ hasText: 'CT abdomen A' }).locator('input')).toBeDisabled()
  })

  test('says at once where there is nothing to learn, which is no failure', async ({ shell }) => {
    const app = await shell.open()
    await app.ready()
    await approve(app, 2)
    await app.by('retrain').first().click()
    await expect(app.by('toast').filter({ hasText: 'there is nothing to learn' })).toBeVisible({ timeout: 60_000 })
    await expect(app.by('error-banner')).toHaveCount(0)
    await expect(app.by('training-stopped')).toContainText('nothing to learn. Correct what is wrong')
    await expect(app.by('model-version')).toHaveCount(1)
  })

  test('Live trains in the quiet, and keeps what it learned when it is switched off', async ({ shell }, info) => {
    const app = await shell.open()
    await app.ready()
    // Alone: a slice beside it that is approved without the arch would say the opposite.
    await approve(app, 0)
    await correct(app)
    const before = await app.by('model-version').count()
    await app.by('live').click()
    await expect(app.by('live')).toHaveAttribute('aria-pressed', 'true')
    await expect(app.by('live-state')).toContainText(/\d+ steps?, Dice/, { timeout: 120_000 })
    await app.page.screenshot({ path: info.outputPath('live.png') })
    await app.by('live').click()
    await expect(app.by('live')).toHaveAttribute('aria-pressed', 'false', { timeout: 120_000 })
    await expect(app.by('model-version')).toHaveCount(before + 1, { timeout: 120_000 })
  })
})
