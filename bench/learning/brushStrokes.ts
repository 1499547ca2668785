import type { Page } from '@playwright/test'

/** Events of the pen in one stroke. */
const MOVES = 10
/** Between two strokes, at least. */
const PAUSE_MS = 900
/** A page draws at most so often. */
const FRAME_MS = 16
/** What is not on the canvas by then was not painted. */
const PAINTED_MS = 5000
/** How long Live may take to go on training after a stroke. */
const RESUMED_MS = 30_000

export interface Stroke {
  /** From the pen's coming down to its pixels, in ms. */
  readonly first: number
  /** Of each move of the pen, from the page's hearing of it: a browser holds moves back until its next frame, up to 17 ms. */
  readonly moves: readonly number[]
  /** The same from when the browser took them. */
  readonly held: readonly number[]
  /** The pointer moved right before the pen came down. */
  readonly announced: boolean
  /** Steps that were trained since the pen was up last, and while it was down; null where nobody was asked. */
  readonly stepsBefore: number | null
  readonly stepsDuring: number | null
}

interface PenEvent {
  readonly kind: string
  readonly came: number
  readonly heard: number
  painted: number | null
}

declare global {
  interface Window {
    benchPen: PenEvent[]
  }
}

/**
 * Has the page, from its next load on, note each event of the pen: when the browser took it, and when it was painted: the end of
 * the first drawing on the canvas of the mask, the second one of the viewer, after it.
 */
export async function recordBrush(page: Page): Promise<void> {
  await page.addInitScript(() => {
    window.benchPen = []
    let drawing: PenEvent[] | null = null
    const prototype = CanvasRenderingContext2D.prototype
    const isMask = (canvas: HTMLCanvasElement): boolean =>
      canvas.isConnected && document.querySelectorAll('[data-testid=viewer-canvas] canvas')[1] === canvas
    for (const name of ['drawImage', 'putImageData', 'stroke', 'fill', 'fillRect'] as const) {
      const original = Reflect.get(prototype, name)
      Reflect.set(prototype, name, function (this: CanvasRenderingContext2D, ...values: unknown[]) {
        Reflect.apply(original, this, values)
        if (!isMask(this.canvas)) return
        if (drawing === null) {
          // Several that came in one frame are painted together, by several calls.
          drawing = window.benchPen.filter(({ painted }) => painted === null)
          queueMicrotask(() => (drawing = null))
        }
        const now = performance.now()
        for (const event of drawing) event.painted = now
      })
    }
    const note = (event: PointerEvent): void => {
      if (event.type === 'pointermove' && event.buttons === 0) return
      window.benchPen.push({ kind: event.type, came: event.timeStamp, heard: performance.now(), painted: null })
    }
    window.addEventListener('pointermove', note, { capture: true })
    window.addEventListener('pointerdown', note, { capture: true })
  })
}

/**
 * Strokes in the viewer, by turns of the brush and, along the same way, of the eraser, so that each event of the pen changes
 * pixels. With `steps`, which says how many steps Live has made, each waits until it has trained since the one before.
 * Throws where it does not, and where an event of the pen was not painted.
 */
export async function strokes(page: Page, count: number, steps: (() => Promise<number>) | null): Promise<Stroke[]> {
  const made: Stroke[] = []
  for (let n = 0; n < count; n++) {
    await page.keyboard.press(n % 2 === 0 ? 'b' : 'e')
    const turn = Math.floor(n / 2)
    made.push(await stroke(page, [0.4 + 0.02 * (turn % 4), 0.4 + 0.03 * (turn % 4)], turn % 2 === 0, steps))
  }
  return made
}

/** One stroke from a place in the viewer, in shares of its width and height. */
export async function stroke(
  page: Page,
  [x, y]: readonly [number, number],
  announced: boolean,
  steps: (() => Promise<number>) | null,
): Promise<Stroke> {
  const box = await page.getByTestId('viewer-canvas').boundingBox()
  if (box === null) throw new Error('The viewer is not on screen.')
  const [left, top] = [box.x + box.width * x, box.y + box.height * y]
  const before = (await steps?.()) ?? null
  await page.mouse.move(left, top)
  await page.waitForTimeout(PAUSE_MS)
  const atDown = steps === null ? null : await trainedSince(page, steps, before ?? 0)
  if (announced) {
    await page.mouse.move(left + 2, top)
    await page.waitForTimeout(3 * FRAME_MS)
  }
  await page.evaluate(() => {
    window.benchPen = []
  })
  await page.mouse.down()
  for (let move = 1; move <= MOVES; move++) {
    await page.waitForTimeout(2 * FRAME_MS)
    await page.mouse.move(left + 9 * move, top + 4 * move)
  }
  await page.waitForFunction(() => window.benchPen.every(({ painted }) => painted !== null), null, {
    timeout: PAINTED_MS,
  })
  const atUp = (await steps?.()) ?? null
  await page.mouse.up()
  return {
    ...timesOf(await page.evaluate(() => window.benchPen)),
    announced,
    stepsBefore: atDown === null || before === null ? null : atDown - before,
    stepsDuring: atDown === null || atUp === null ? null : atUp - atDown,
  }
}

async function trainedSince(page: Page, steps: () => Promise<number>, before: number): Promise<number> {
  const until = performance.now() + RESUMED_MS
  for (;;) {
    const now = await steps()
    const training = await page.locator('[data-testid=live-state][data-phase=training]').count()
    if (now > before && training > 0) return now
    if (performance.now() > until) throw new Error(`Live made no step between two strokes: ${now} after ${before}.`)
    await page.waitForTimeout(50)
  }
}

function timesOf(events: readonly PenEvent[]): Pick<Stroke, 'first' | 'moves' | 'held'> {
  const times = events.map(({ kind, came, heard, painted }) => {
    if (painted === null) throw new Error('An event of the pen was not painted.')
    return { kind, sinceTaken: painted - came, sinceHeard: painted - heard }
  })
  const first = times.find(({ kind }) => kind === 'pointerdown')
  const moves = times.filter(({ kind }) => kind === 'pointermove')
  if (first === undefined || moves.length === 0) throw new Error('The page heard nothing of a stroke.')
  return {
    first: first.sinceTaken,
    moves: moves.map(({ sinceHeard }) => sinceHeard),
    held: moves.map(({ sinceTaken }) => sinceTaken),
  }
}
