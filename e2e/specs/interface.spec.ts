import { expect, test } from '../fixtures/test.ts'

test('every control has an accessible name', async ({ shell }) => {
  const app = await shell.open()
  await app.ready()
  const nameless = await app.page.evaluate(() => {
    const controls = [
      ...document.querySelectorAll<HTMLElement>(
        'button, input, select, textarea, [role=slider], [role=button], [role=option], [tabindex="0"]',
      ),
    ]
    const name = (element: HTMLElement): string => {
      const labelledBy = element.getAttribute('aria-labelledby')
      const byId =
        labelledBy === null
          ? ''
          : labelledBy
              .split(/\s+/)
              .map((id) => document.getElementById(id)?.textContent ?? '')
              .join(' ')
      const labels =
        element instanceof HTMLInputElement || element instanceof HTMLSelectElement
          ? [...(element.labels ?? [])].map((label) => label.textContent).join(' ')
          : ''
      return (
        (element.getAttribute('aria-label') ?? '') +
        byId +
        labels +
        (element.getAttribute('title') ?? '') +
        element.textContent
      )
    }
    return controls
      .filter((element) => element.offsetParent !== null && element.closest('[aria-hidden=true]') === null)
      .filter((element) => name(element).trim() === '')
      .map((element) => element.outerHTML.slice(0, 160))
  })
  expect(nameless).toEqual([])
})

test('the help sheet lists the shortcuts, and keys do what it says', async ({ shell }, info) => {
  const app = await shell.open()
  await app.ready()
  await app.page.keyboard.press('?')
  await expect(app.by('help-sheet')).toBeVisible()
  await expect(app.by('help-sheet')).toContainText('Undo')
  await app.page.screenshot({ path: info.outputPath('help.png') })
  await app.page.keyboard.press('Escape')
  await expect(app.by('help-sheet')).toBeHidden()

  const number = async () => Number(/\d+/.exec((await app.by('slice-number').textContent()) ?? '')?.[0])
  const start = await number()
  await app.page.keyboard.press('ArrowUp')
  await expect.poll(number).not.toBe(start)
  const step = (await number()) - start
  expect(Math.abs(step)).toBe(1)
  await app.page.keyboard.press('ArrowDown')
  await expect.poll(number).toBe(start)
  const middle = await app.at()
  await app.page.mouse.move(middle.x, middle.y)
  await app.page.mouse.wheel(0, 100)
  await expect.poll(number).not.toBe(start)
})

test('a locked label does not change under the brush', async ({ shell }) => {
  const app = await shell.open()
  await app.ready()
  await app.by('tool-brush').click()
  await app.labelNamed('Liver')
  const from = await app.at(-0.04, 0.02)
  const to = await app.at(0.04, 0.02)
  await app.drag(from, to)
  await app.saved()
  const liver = await app.pixel(from)
  await app.by('label-row').filter({ hasText: 'Liver' }).getByTestId('label-lock').click()
  await app.labelNamed('Spleen')
  await app.drag(from, to)
  await app.page.waitForFunction(
    () => document.querySelector('[data-testid=save-state]')?.getAttribute('data-state') === 'saved',
  )
  expect(await app.pixel(from), 'Spleen painted over locked Liver').toEqual(liver)
})

for (const viewport of [
  { width: 1280, height: 720 },
  { width: 2560, height: 1440 },
]) {
  test(`nothing overflows at ${String(viewport.width)}x${String(viewport.height)}`, async ({ shell }, info) => {
    const app = await shell.open(viewport)
    await app.ready()
    await app.page.screenshot({ path: info.outputPath('window.png') })
    const overflow = await app.page.evaluate(() => ({
      x: document.documentElement.scrollWidth - window.innerWidth,
      y: document.documentElement.scrollHeight - window.innerHeight,
    }))
    expect(overflow).toEqual({ x: 0, y: 0 })
  })
}
