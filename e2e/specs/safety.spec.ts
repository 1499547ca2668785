import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from '../fixtures/test.ts'

test('a stroke survives kill -9 of the host, and undo works across the restart', async ({ shell }, info) => {
  const { host } = shell
  test.skip(host === null, 'the window and the host are one process in this shell')
  if (host === null) return
  const app = await shell.open()
  await app.ready()
  const clean = await app.pixel(await app.at(-0.04, 0.02))
  const from = await app.paintLiver()
  const painted = await app.pixel(from)
  expect(painted).not.toEqual(clean)

  await host.kill()
  // The save state does not lie while nobody is there to save.
  await expect(app.by('connection-banner')).toBeVisible()

  const url = await host.start()
  await app.page.goto(url)
  await app.page.reload()
  await app.ready()
  expect(await app.pixel(from), 'the stroke is there after the restart').toEqual(painted)
  await app.page.screenshot({ path: info.outputPath('restored.png') })
  await app.by('undo').first().click()
  await expect.poll(() => app.pixel(from), { message: 'undo works across the restart' }).toEqual(clean)
})

test('files that are no images: one clear sentence each, and the app goes on', async ({ shell, folder }, info) => {
  const files: Record<string, Buffer> = {
    'truncated.nii.gz': gzipSync(Buffer.alloc(4000, 7)).subarray(0, 20),
    'empty.nii': Buffer.alloc(0),
    'notes.png': Buffer.from('this is plain text, not a picture'),
  }
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes)
  const app = await shell.open()
  await app.ready()
  const cases = await app.by('case-item').count()
  for (const name of Object.keys(files)) {
    await app.openPath(join(folder, name))
    const banner = app.by('error-banner').filter({ hasText: name })
    await expect(banner).toBeVisible()
    await expect(banner).not.toContainText(/\n\s+at |Error:|undefined/)
    await app.page.screenshot({ path: info.outputPath(`bad-${name}.png`) })
    await banner.getByRole('button', { name: /dismiss|close/i }).click()
    await app.page.keyboard.press('Escape')
  }
  await expect(app.by('case-item')).toHaveCount(cases)
  await app.openCase(/CT/)
  expect(await app.colouredShare()).toBeLessThan(0.02)
})

test('compute is killed in the middle of training: said, restarted, nothing lost', async ({ shell }, info) => {
  const { host } = shell
  test.skip(host === null || process.platform !== 'linux', 'needs the process ids of the browser shell on Linux')
  if (host === null) return
  const app = await shell.open()
  await app.ready()
  const from = await app.paintLiver()
  const painted = await app.pixel(from)
  const versions = await app.by('model-version').count()

  await app.by('retrain').first().click()
  await expect(app.by('training-chart')).toBeVisible({ timeout: 60_000 })
  const pids = host.computePids()
  expect(pids.length).toBeGreaterThan(0)
  for (const pid of pids) process.kill(pid, 'SIGKILL')

  await expect(app.by('toast').or(app.by('error-banner')).first()).toContainText(/started again|restarted/i)
  await app.page.screenshot({ path: info.outputPath('compute-killed.png') })
  await expect(app.by('model-version')).toHaveCount(versions)
  expect(await app.pixel(from)).toEqual(painted)

  // The restarted process does the same work.
  await expect(app.by('compute-status')).not.toContainText(/restarting|starting/i, { timeout: 60_000 })
  await app.by('retrain').first().click()
  await expect(app.by('model-version')).toHaveCount(versions + 1, { timeout: 120_000 })
})
