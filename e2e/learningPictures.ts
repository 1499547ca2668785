import type { Workstation } from './pages/workstation.ts'

const SLICES_HELD_OUT = 8

/**
 * The pictures of what corrections teach, on the demo project after its first retraining: a queue with the uncertainty over the
 * image, a version that was judged on cases set aside, and the curves of all versions. Ends on the image, with the queue closed.
 */
export async function learningPictures(app: Workstation, shoot: (name: string) => Promise<void>): Promise<void> {
  const { page } = app
  await app.openCase('CT abdomen B')
  await app.by('predict').first().click()
  await app.by('job-cancel').waitFor()
  await app.idle(180_000)
  await app.labelNamed('Vertebra')
  await app.by('tool-brush').click()
  for (let slice = 0; slice < SLICES_HELD_OUT; slice++) {
    // Approved as it was predicted it would speak for the version that predicted it.
    await app.drag(await app.at(-0.012, 0.226), await app.at(0.034, 0.226))
    await app.saved()
    await page.keyboard.press('q')
    await app.saved()
    await page.keyboard.press('ArrowDown')
    await app.ready()
  }
  await page.keyboard.press('m')
  await app.by('models-tabs').getByText('Hold-out').click()
  await app.by('holdout-case').filter({ hasText: 'CT abdomen B' }).click()
  await app.by('holdout-freeze').click()
  await page.locator('[data-testid=holdout-state][data-cases="1"]').waitFor()
  await page.keyboard.press('Escape')

  await app.openCase('CT abdomen A')
  // What was learned already is learned anew from the first version, and judged this time.
  await app.by('roll-back').first().click()
  await page.locator('[data-testid=model-version][data-version="1"][data-active="true"]').waitFor()
  await app.by('retrain').first().click()
  await app.by('job-cancel').waitFor()
  await app.idle(180_000)

  await page.keyboard.press('m')
  await app.by('models-tabs').getByText('Versions').click()
  await page.locator('[data-testid=version-row][data-version="3"]').click()
  await app.by('judgement-cases').waitFor()
  await shoot('versions')
  await app.by('models-tabs').getByText('Curves').click()
  await app.by('version-chart').first().waitFor()
  await shoot('curves')
  await page.keyboard.press('Escape')

  await app.by('worklist-tabs').getByText('Queue').click()
  await app.by('rank-now').click()
  await app.by('queue-row').first().waitFor({ timeout: 240_000 })
  await app.idle()
  await page.keyboard.press('n')
  await app.ready()
  await app.by('predict').first().click()
  await app.by('job-cancel').waitFor()
  await app.idle(180_000)
  await page.keyboard.press('u')
  await app.by('uncertainty-legend').getByText('unsure').waitFor()
  await shoot('queue')
  await page.keyboard.press('u')
  await app.by('worklist-tabs').getByText('Cases').click()
}
