import { readFileSync } from 'node:fs'
import sharp from 'sharp'
import { CELL, cellColour, noVips, slide } from '../fixtures/slide.ts'
import { expect, test } from '../fixtures/test.ts'
import type { Workstation } from '../pages/workstation.ts'

const MEGABYTE = 2 ** 20

test.use({ project: 'empty' })
test.beforeEach(() => {
  const reason = noVips()
  test.skip(reason !== null, reason ?? '')
})

async function opened(app: Workstation, path: string): Promise<void> {
  await app.openPath(path)
  await expect(app.by('viewer-canvas')).toHaveAttribute('data-kind', 'slide', { timeout: 60_000 })
  await settled(app)
}

/** All tiles of the screen are here. */
async function settled(app: Workstation): Promise<void> {
  await expect(app.by('viewer-canvas')).toHaveAttribute('data-settled', 'true', { timeout: 60_000 })
}

/** The pixel of the slide that is named under the pointer. */
async function pixelUnderPointer(app: Workstation): Promise<[number, number]> {
  await expect(app.by('slide-pixel')).toContainText(/\d+, \d+/)
  const [x = -1, y = -1] = [...((await app.by('slide-pixel').textContent()) ?? '').matchAll(/\d+/g)].map(Number)
  return [x, y]
}

function expectColour(pixel: { r: number; g: number; b: number }, [x, y]: readonly [number, number]): void {
  const [r, g, b] = cellColour(Math.floor(x / CELL), Math.floor(y / CELL))
  expect(Math.max(Math.abs(pixel.r - r), Math.abs(pixel.g - g), Math.abs(pixel.b - b))).toBeLessThan(14)
}

/** Memory of the page as the browser counts it, after a collection. */
async function heap(app: Workstation): Promise<number> {
  const session = await app.page.context().newCDPSession(app.page)
  await session.send('HeapProfiler.collectGarbage')
  const { usedSize, backingStorageSize } = await session.send('Runtime.getHeapUsage')
  await session.detach()
  return usedSize + backingStorageSize
}

/** Resident memory of a process (Linux); null elsewhere. */
function resident(pid: number | null | undefined): number | null {
  try {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1]) * 1024
  } catch {
    return null
  }
}

/** Resident memory of the browser's processes that show pages, painted tiles included (Linux); null elsewhere. */
async function pages(app: Workstation): Promise<number | null> {
  const session = await app.page.context().browser()?.newBrowserCDPSession()
  if (session === undefined) return null
  const { processInfo } = await session.send('SystemInfo.getProcessInfo')
  await session.detach()
  return processInfo
    .filter(({ type }) => type === 'renderer')
    .map(({ id }) => resident(id))
    .reduce<number | null>((sum, bytes) => (sum === null || bytes === null ? null : sum + bytes), 0)
}

interface Memory {
  readonly heap: number
  readonly pages: number | null
  readonly host: number | null
}

async function memory(app: Workstation, pid: number | null | undefined): Promise<Memory> {
  return { heap: await heap(app), pages: await pages(app), host: resident(pid) }
}

test('a slide of 1,200 million pixels: seen, zoomed, and never held', async ({ shell, folder }, info) => {
  const path = await slide(folder)
  const app = await shell.open()
  await opened(app, path)
  await expect(app.by('zoom').locator('input')).toHaveValue(/^(1|2)\.\d%$/)
  await expect(app.by('scale-bar')).toContainText('mm')
  await expect(app.by('tool-brush')).toHaveAttribute('aria-disabled', 'true')
  await expect(app.by('predict')).toHaveAttribute('aria-disabled', 'true')
  await app.page.screenshot({ path: info.outputPath('slide-fit.png') })

  // What is under the pointer stays there while the wheel zooms, and is the pixel that is named.
  const at = await app.at(0.11, -0.07)
  await app.page.mouse.move(at.x, at.y)
  const before = await pixelUnderPointer(app)
  for (let turn = 0; turn < 18; turn++) await app.page.mouse.wheel(0, -100)
  await settled(app)
  const after = await pixelUnderPointer(app)
  expect(Math.abs(after[0] - before[0])).toBeLessThan(60)
  expect(Math.abs(after[1] - before[1])).toBeLessThan(60)
  await expect(app.by('viewer-canvas')).toHaveAttribute('data-level', '0')
  expectColour(await app.pixel(at), after)

  // Panning over the slide at full resolution, by hand and by the overview, leaves little behind.
  const overview = await app.by('slide-overview').boundingBox()
  if (overview === null) throw new Error('the overview is not on screen')
  const pid = shell.host?.pid
  const start = await memory(app, pid)
  let most = start
  for (let row = 0; row < 5; row++) {
    for (let column = 0; column < 6; column++) {
      await app.page.mouse.click(
        overview.x + (overview.width * (column + 0.5)) / 6,
        overview.y + (overview.height * (row + 0.5)) / 5,
      )
      await app.drag(await app.at(0.3, 0.2), await app.at(-0.3, -0.2), 6)
    }
    await settled(app)
    const now = await memory(app, pid)
    const more = (one: number | null, other: number | null): number | null =>
      one === null || other === null ? null : Math.max(one, other)
    most = {
      heap: Math.max(most.heap, now.heap),
      pages: more(most.pages, now.pages),
      host: more(most.host, now.host),
    }
  }
  info.annotations.push({ type: 'memory', description: JSON.stringify({ start, most }) })
  // Decoded, the slide is 3,600 MB.
  expect(most.heap, 'memory of the page').toBeLessThan(200 * MEGABYTE)
  if (most.pages !== null && start.pages !== null) {
    expect(most.pages - start.pages, 'memory that panning added to the browser').toBeLessThan(400 * MEGABYTE)
  }
  if (most.host !== null) expect(most.host, 'memory of the backend').toBeLessThan(600 * MEGABYTE)

  // Keys do the same; F shows all of it again.
  await app.page.keyboard.press('ArrowLeft')
  await app.page.keyboard.press('f')
  await settled(app)
  await expect(app.by('zoom').locator('input')).toHaveValue(/^(1|2)\.\d%$/)
})

test('a region of a slide becomes a case, painted and saved; the slide shows where it is', async ({
  shell,
  folder,
}, info) => {
  const path = await slide(folder)
  const app = await shell.open()
  await opened(app, path)
  const middle = await app.at()
  await app.page.mouse.move(middle.x, middle.y)
  for (let turn = 0; turn < 16; turn++) await app.page.mouse.wheel(0, -100)
  await settled(app)

  await app.page.keyboard.press('g')
  const from = await app.at(-0.15, -0.15)
  await app.page.mouse.move(from.x, from.y)
  const [left, top] = await pixelUnderPointer(app)
  await app.drag(from, await app.at(0.15, 0.15))
  await expect(app.by('region-size')).toContainText('µm')
  await app.page.screenshot({ path: info.outputPath('slide-region.png') })
  const width = Number(await app.by('region-width').locator('input').inputValue())
  await app.page.keyboard.press('Enter')
  await expect(app.case(/region 1/).first()).toHaveAttribute('aria-current', 'true', { timeout: 60_000 })
  await app.ready()
  await expect(app.by('viewer-canvas')).not.toHaveAttribute('data-kind', 'slide')

  // The same place of the slide, pixel for pixel.
  const spot = await app.at(0.02, 0.03)
  await app.page.mouse.move(spot.x, spot.y)
  await expect(app.by('readout-voxel')).toContainText(/\d+/)
  const [x = -1, y = -1] = [...((await app.by('readout-voxel').textContent()) ?? '').matchAll(/\d+/g)].map(Number)
  expectColour(await app.pixel(spot), [left + x, top + y])

  // It is annotated like any image.
  await app.page.keyboard.press('l')
  await app.page.keyboard.type('Tumour')
  await app.page.keyboard.press('Enter')
  await app.labelNamed('Tumour')
  await app.by('tool-brush').click()
  await app.drag(await app.at(-0.1, 0.05), await app.at(0.1, 0.05))
  await app.saved()
  await app.by('save-mask').first().click()
  await expect(app.by('save-result')).toContainText(/saved/i)
  const mask = await sharp((await app.by('save-result').getAttribute('data-path')) ?? '').metadata()
  expect(mask.width).toBe(width)

  await app.by('region-origin').click()
  await settled(app)
  await expect(app.by('slide-region')).toHaveCount(1)
  await expect(app.by('region-list')).toContainText('region 1')
  await app.page.setViewportSize({ width: 1280, height: 720 })
  await settled(app)
  await app.page.screenshot({ path: info.outputPath('slide-1280.png') })
})
