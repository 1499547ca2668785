import { rm } from 'node:fs/promises'
import path from 'node:path'
import type { Browser, Page } from '@playwright/test'
import { Host } from '../e2e/fixtures/host.ts'
import { writeVolume } from '../src/imaging/index.ts'
import { createProject } from '../src/backend/index.ts'
import { temporaryFolder } from './support/demo.ts'
import { addLabel, fingerprint, launch, openFile, ready } from './support/page.ts'
import { result, type BenchResult } from './support/report.ts'
import { latencies, recordDraws } from './support/drawClock.ts'

const SIZE = 512
const SLICES = 64
const CHANGES = 60
const BRUSH_RADIUS = 60

/**
 * The browser shell in headless Chromium, from an input event in the page to the last drawing call that it caused.
 * What the compositor does after that is the same for every page and not counted.
 */
export async function suite(): Promise<BenchResult[]> {
  const folder = temporaryFolder()
  const browser = await launch()
  try {
    return [...(await startToInteractive(browser, folder)), ...(await editing(browser, folder))]
  } finally {
    await browser.close()
    await rm(folder, { recursive: true, force: true })
  }
}

/** From the start of the host's process, with the demo project made before, to a slice on screen that answers. */
async function startToInteractive(browser: Browser, folder: string): Promise<BenchResult[]> {
  const times: number[] = []
  for (let run = 0; run < 6; run++) {
    const host = new Host(folder, null)
    const started = performance.now()
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
    await page.goto(await host.start())
    await ready(page)
    // The first start makes the demo project: that is a start of its own kind.
    if (run > 0) times.push(performance.now() - started)
    await page.close()
    await host.stop()
  }
  return [
    result({ name: 'start-to-interactive', params: { project: 'demo' }, values: times, budget: 'at most 3000 ms' }),
  ]
}

async function editing(browser: Browser, folder: string): Promise<BenchResult[]> {
  const projectDir = path.join(folder, 'large')
  createProject(projectDir, { name: 'Large' }).close()
  const file = path.join(folder, 'large.nii.gz')
  await writeVolume(file, largeVolume())
  const host = new Host(folder, projectDir)
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
  try {
    await recordDraws(page)
    await page.goto(await host.start())
    await openFile(page, file)
    await addLabel(page)
    const params = { width: SIZE, height: SIZE, slices: SLICES }
    return [
      result({
        name: 'slice-change',
        params,
        values: await sliceChanges(page),
        budget: 'p95 at most 16 ms',
      }),
      result({
        name: 'brush',
        params: { ...params, radius: BRUSH_RADIUS },
        values: await brushMoves(page),
        budget: 'p95 at most 8 ms',
      }),
    ]
  } finally {
    await page.close()
    await host.stop()
  }
}

/** Down and up through the volume, a key at a time, each after the last one was drawn. */
async function sliceChanges(page: Page): Promise<number[]> {
  await page.getByTestId('viewer-canvas').click({ position: { x: 5, y: 5 } })
  const key = (n: number): string => (n % CHANGES < CHANGES / 2 ? 'ArrowDown' : 'ArrowUp')
  const seen = new Set<string>()
  const times = await latencies(page, 'keydown', CHANGES, 5, async (n) => {
    seen.add(await fingerprint(page))
    await page.keyboard.press(key(n))
  })
  if (seen.size < CHANGES / 4) throw new Error(`Only ${seen.size} different pictures were on screen.`)
  return times
}

/** One long stroke of a large brush across the image, a pointer event at a time. */
async function brushMoves(page: Page): Promise<number[]> {
  await page.keyboard.press('b')
  const box = await page.getByTestId('viewer-canvas').boundingBox()
  if (box === null) throw new Error('The viewer is not on screen.')
  await page.getByTestId('brush-size').fill(String(BRUSH_RADIUS))
  const at = (n: number): [number, number] => {
    const angle = n / 9
    const reach = Math.min(box.width, box.height) * 0.32
    return [box.x + box.width / 2 + reach * Math.cos(angle), box.y + box.height / 2 + reach * Math.sin(angle * 1.3)]
  }
  const before = await fingerprint(page)
  await page.mouse.move(...at(0))
  await page.mouse.down()
  const times = await latencies(page, 'pointermove', 120, 10, (n) => page.mouse.move(...at(n + 1)))
  await page.mouse.up()
  await page.locator('[data-testid=save-state][data-state=saved]').first().waitFor()
  await page.mouse.move(2, 2)
  if ((await fingerprint(page)) === before) throw new Error('The brush left no trace.')
  return times
}

/** int16, 512 x 512 x 64: smooth structure with noise, in LPS order. */
function largeVolume(): Parameters<typeof writeVolume>[1] {
  const data = new Int16Array(SIZE * SIZE * SLICES)
  for (let z = 0, i = 0; z < SLICES; z++) {
    for (let y = 0; y < SIZE; y++) {
      for (let x = 0; x < SIZE; x++, i++) {
        const inside = Math.hypot(x - 256, (y - 256) * 1.3) < 230
        data[i] = inside ? 40 + 60 * Math.sin(x / 21 + z / 9) * Math.cos(y / 17) + ((i * 7919) % 31) : -1000
      }
    }
  }
  return {
    dims: [SIZE, SIZE, SLICES],
    affine: [
      [-0.7, 0, 0, 180],
      [0, -0.7, 0, 180],
      [0, 0, 2, -900],
      [0, 0, 0, 1],
    ],
    data,
  }
}
