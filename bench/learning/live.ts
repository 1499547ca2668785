import { rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import type { Page } from '@playwright/test'
import { Host } from '../../e2e/fixtures/host.ts'
import { createProject } from '../../src/backend/index.ts'
import { writeVolume } from '../../src/imaging/index.ts'
import { temporaryFolder } from '../support/demo.ts'
import { addLabel, launch, openFile, ready } from '../support/page.ts'
import { median, result, type BenchResult } from '../support/report.ts'
import { recordBrush, stroke, strokes, type Stroke } from './brushStrokes.ts'

const SIZE = 128
const SLICES = 24
const RADIUS = 12
/** The budget of the brush in the interface: docs/architecture.md. */
const BUDGET = 'p95 at most 8 ms'
/** A training that has just begun records its graphs. */
const SETTLE_MS = 10_000
const STROKES = 12

/**
 * Strokes of the brush while Live trains on this computer, against the same strokes without it, before, in the same page:
 * from a move of the pen, when the page hears of it, to the pixels on the canvas of the mask; of the pen's coming down, from when the
 * browser took it. Before each
 * stroke Live has trained on since the one before; in half of them the pen comes down without a move that announces it.
 */
export async function liveResults(count = STROKES): Promise<BenchResult[]> {
  const folder = temporaryFolder()
  const browser = await launch()
  const projectDir = path.join(folder, 'live')
  createProject(projectDir, { name: 'Live' }).close()
  const file = path.join(folder, 'disks.nii.gz')
  await writeVolume(file, disks())
  const host = new Host(folder, projectDir)
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
  try {
    await recordBrush(page)
    await page.goto(await host.start())
    await openFile(page, file)
    await ready(page)
    await addLabel(page)
    await page.keyboard.press('b')
    await page.getByTestId('brush-size').fill(String(RADIUS))
    // It stays, for Live to learn from.
    await stroke(page, [0.35, 0.2], true, null)
    await strokes(page, 4, null)
    const without = await strokes(page, count, null)
    await page.getByTestId('live').click()
    await page.locator('[data-testid=live-state][data-phase=training]').waitFor({ timeout: 120_000 })
    await page.waitForTimeout(SETTLE_MS)
    await strokes(page, 2, () => stepsOf(page))
    const during = await strokes(page, count, () => stepsOf(page))
    const params = { strokes: count, radius: RADIUS, size: SIZE, cores: availableParallelism() }
    return [...rows('while Live trains', params, during, without), ...rows('without Live', params, without, null)]
  } finally {
    await page.close()
    await host.stop()
    await browser.close()
    await rm(folder, { recursive: true, force: true })
  }
}

function rows(
  when: string,
  params: Readonly<Record<string, string | number>>,
  made: readonly Stroke[],
  reference: readonly Stroke[] | null,
): BenchResult[] {
  const row = (what: string, of: (strokes: readonly Stroke[]) => number[], budget?: string): BenchResult => {
    const values = of(made)
    return result({
      name: `live: ${what} ${when}`,
      params: { ...params, ...stepsIn(made), max: Number(Math.max(...values).toPrecision(3)) },
      values,
      reference: reference === null ? null : { name: 'without Live', median: median(of(reference)) },
      ...(reference === null || budget === undefined ? {} : { budget }),
    })
  }
  const firstOf = (announced: boolean) => (some: readonly Stroke[]) =>
    some.filter((stroke) => stroke.announced === announced).map(({ first }) => first)
  return [
    row('brush', (some) => some.flatMap(({ moves }) => moves), BUDGET),
    row('brush, with the wait for a frame', (some) => some.flatMap(({ held }) => held)),
    row('first event of a stroke after a move', firstOf(true)),
    row('first event of a stroke out of the blue', firstOf(false)),
  ]
}

/** Steps that were trained before the pen came down since it came down last, and while it was down. */
function stepsIn(made: readonly Stroke[]): Record<string, number> {
  const between = made.flatMap(({ stepsBefore }) => stepsBefore ?? [])
  const during = made.flatMap(({ stepsDuring }) => stepsDuring ?? [])
  if (between.length === 0) return {}
  return {
    leastStepsBeforeAStroke: Math.min(...between),
    stepsBeforeStrokes: median(between),
    mostStepsDuringAStroke: Math.max(...during),
  }
}

/** As the page says. */
async function stepsOf(page: Page): Promise<number> {
  const text = (await page.getByTestId('live-state').textContent()) ?? ''
  const steps = /(\d[\d,]*) steps?\b/.exec(text)?.[1]?.replaceAll(',', '')
  if (steps === undefined) throw new Error(`Live does not say how many steps it made: ${text}`)
  return Number(steps)
}

/** int16: bright disks that grow and shrink through the slices. */
function disks(): Parameters<typeof writeVolume>[1] {
  const data = new Int16Array(SIZE * SIZE * SLICES)
  for (let z = 0, i = 0; z < SLICES; z++) {
    const radius = 20 + 14 * Math.sin(z / 5)
    for (let y = 0; y < SIZE; y++) {
      for (let x = 0; x < SIZE; x++, i++) {
        data[i] = (Math.hypot(x - 60, y - 66) < radius ? 180 : 60) + ((i * 7919) % 31)
      }
    }
  }
  return {
    dims: [SIZE, SIZE, SLICES],
    affine: [
      [-1, 0, 0, 64],
      [0, -1, 0, 64],
      [0, 0, 2, -24],
      [0, 0, 0, 1],
    ],
    data,
  }
}
