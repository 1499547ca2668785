import type { Page } from '@playwright/test'

interface DrawClock {
  /** When the last event of the kind reached the page, and when a canvas was last drawn on. performance.now() */
  event: number
  draw: number
}

declare global {
  interface Window {
    benchClock: DrawClock
  }
}

/** Has the page, from its next load on, note when canvases are drawn on. */
export async function recordDraws(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const clock: DrawClock = { event: 0, draw: 0 }
    window.benchClock = clock
    const prototype = CanvasRenderingContext2D.prototype
    for (const name of ['drawImage', 'putImageData', 'stroke', 'fill', 'fillRect'] as const) {
      const original = Reflect.get(prototype, name)
      Reflect.set(prototype, name, function (this: CanvasRenderingContext2D, ...values: unknown[]) {
        Reflect.apply(original, this, values)
        clock.draw = performance.now()
      })
    }
  })
}

/**
 * Milliseconds from an event's arrival in the page to the last drawing call before the page fell quiet, for `count`
 * events after `warmUp` that do not count. Where an event draws nothing, it is left out.
 */
export async function latencies(
  page: Page,
  event: 'keydown' | 'pointermove',
  count: number,
  warmUp: number,
  send: (n: number) => Promise<void>,
): Promise<number[]> {
  await page.evaluate((name) => {
    window.addEventListener(name, () => (window.benchClock.event = performance.now()), { capture: true })
  }, event)
  const times: number[] = []
  for (let n = 0; n < count + warmUp; n++) {
    await send(n)
    const { event: came, draw } = await quiet(page)
    if (n >= warmUp && draw > came) times.push(draw - came)
  }
  if (times.length < count / 2) throw new Error(`Only ${times.length} of ${count} events of ${event} drew anything.`)
  return times
}

/** The clock after no canvas was drawn on for 150 ms. */
async function quiet(page: Page): Promise<DrawClock> {
  return page.evaluate(
    () =>
      new Promise<DrawClock>((resolve) => {
        const look = (): void => {
          const clock = window.benchClock
          if (performance.now() - Math.max(clock.draw, clock.event) > 150) resolve({ ...clock })
          else setTimeout(look, 10)
        }
        look()
      }),
  )
}
