import { rm } from 'node:fs/promises'
import path from 'node:path'
import type { Page } from '@playwright/test'
import { Host } from '../../e2e/fixtures/host.ts'
import { createProject } from '../../src/backend/index.ts'
import { writeVolume } from '../../src/imaging/index.ts'
import { temporaryFolder } from '../support/demo.ts'
import { addLabel, launch, openFile, ready } from '../support/page.ts'
import { result, type BenchResult } from '../support/report.ts'

const SIZE = 128
const SLICES = 24
const RADIUS = 12
const STROKES = 12
const MOVES = 10
/** Between two strokes: Live goes on training in it. */
const PAUSE_MS = 900
/** A page draws at most so often. */
const FRAME_MS = 16

/**
 * Strokes of the brush while Live trains on this computer, against the same strokes without it in the same run: from a
 * pointer event in the page to the first drawing call that it caused, the first event after the pen came down included.
 */
export async function liveResults(): Promise<BenchResult[]> {
  const folder = temporaryFolder()
  const browser = await launch()
  const projectDir = path.join(folder, 'live')
  createProject(projectDir, { name: 'Live' }).close()
  const file = path.join(folder, 'disks.nii.gz')
  await writeVolume(file, disks())
  const host = new Host(folder, projectDir)
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
  try {
    await recordFirstDraws(page)
    await page.goto(await host.start())
    await openFile(page, file)
    await ready(page)
    await addLabel(page)
    await page.keyboard.press('b')
    await page.getByTestId('brush-size').fill(String(RADIUS))
    await strokes(page, 3)
    const without = await strokes(page, STROKES)
    await page.getByTestId('live').click()
    await page.locator('[data-testid=live-state][data-phase=training]').waitFor({ timeout: 120_000 })
    // A training that has just begun records its graphs.
    await page.waitForTimeout(10_000)
    const during = await strokes(page, STROKES)
    const text = (await page.getByTestId('live-state').textContent()) ?? ''
    const steps = Number(/(\d[\d,]*) steps/.exec(text)?.[1]?.replace(',', '') ?? NaN)
    if (!(steps > 0)) throw new Error(`Live did not train: ${text}`)
    const params = { strokes: STROKES, radius: RADIUS, size: SIZE, cores: 2, steps }
    return [
      result({
        name: 'live: brush while Live trains',
        params,
        values: during,
        reference: { name: 'without Live', median: middleOf(without) },
        budget: 'p95 at most 8 ms',
      }),
      result({ name: 'live: brush without Live', params: { ...params, steps: 0 }, values: without }),
    ]
  } finally {
    await page.close()
    await host.stop()
    await browser.close()
    await rm(folder, { recursive: true, force: true })
  }
}

function middleOf(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN
}

declare global {
  interface Window {
    benchMoves: { event: number; draw: number | null }[]
  }
}

/** Has the page note each pointer event with the first drawing call after it. */
async function recordFirstDraws(page: Page): Promise<void> {
  await page.addInitScript(() => {
    window.benchMoves = []
    const prototype = CanvasRenderingContext2D.prototype
    for (const name of ['drawImage', 'putImageData', 'stroke', 'fill', 'fillRect'] as const) {
      const original = Reflect.get(prototype, name)
      Reflect.set(prototype, name, function (this: CanvasRenderingContext2D, ...values: unknown[]) {
        Reflect.apply(original, this, values)
        for (const move of window.benchMoves) move.draw ??= performance.now()
      })
    }
    const note = (): void => {
      window.benchMoves.push({ event: performance.now(), draw: null })
    }
    window.addEventListener('pointermove', note, { capture: true })
    window.addEventListener('pointerdown', note, { capture: true })
  })
}

/** Milliseconds from each event of the strokes to what it drew first. */
async function strokes(page: Page, count: number): Promise<number[]> {
  const box = await page.getByTestId('viewer-canvas').boundingBox()
  if (box === null) throw new Error('The viewer is not on screen.')
  const times: number[] = []
  for (let stroke = 0; stroke < count; stroke++) {
    await page.waitForTimeout(PAUSE_MS)
    const [left, top] = [box.x + box.width * (0.3 + 0.03 * (stroke % 8)), box.y + box.height * (0.35 + 0.02 * stroke)]
    await page.mouse.move(left, top)
    await page.waitForTimeout(3 * FRAME_MS)
    await page.evaluate(() => {
      window.benchMoves = []
    })
    await page.mouse.down()
    for (let move = 1; move <= MOVES; move++) {
      await page.waitForTimeout(2 * FRAME_MS)
      await page.mouse.move(left + 9 * move, top + 4 * move)
    }
    await page.waitForTimeout(10 * FRAME_MS)
    await page.mouse.up()
    const moves = await page.evaluate(() => window.benchMoves)
    for (const { event, draw } of moves) if (draw !== null) times.push(draw - event)
  }
  if (times.length < (count * MOVES) / 2) throw new Error(`Only ${times.length} events of the brush drew anything.`)
  return times
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
