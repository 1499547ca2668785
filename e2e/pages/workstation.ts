import { expect, type Locator, type Page } from '@playwright/test'
import sharp from 'sharp'

export interface Point {
  x: number
  y: number
}

/** What a user sees and does, in the words of the specs. */
export class Workstation {
  readonly page: Page

  constructor(page: Page) {
    this.page = page
  }

  by(id: string): Locator {
    return this.page.getByTestId(id)
  }

  case(name: string | RegExp): Locator {
    return this.by('case-item').filter({ hasText: name })
  }

  /** Waits until the case on screen shows the slice that is asked for; of a slide, anything of it. */
  async ready(): Promise<void> {
    await expect(this.by('viewer-canvas').locator('canvas').first()).toBeVisible()
    await expect(this.by('viewer-canvas')).toHaveAttribute('data-ready', 'true')
  }

  async openCase(name: string | RegExp): Promise<void> {
    await this.case(name).first().click()
    await expect(this.case(name).first()).toHaveAttribute('aria-current', 'true')
    await this.ready()
  }

  async openPath(path: string): Promise<void> {
    await this.by('open-file').first().click()
    await this.by('path-field').fill(path)
    await this.by('path-field').press('Enter')
  }

  async saved(): Promise<void> {
    await expect(this.by('save-state').first()).toHaveAttribute('data-state', 'saved')
  }

  async labelNamed(name: string): Promise<void> {
    await this.by('label-row').filter({ hasText: name }).first().click()
  }

  /** The middle of the viewer in page coordinates, moved by a fraction of its size. */
  async at(dx = 0, dy = 0): Promise<Point> {
    const box = await this.by('viewer-canvas').boundingBox()
    if (box === null) throw new Error('the viewer is not on screen')
    return { x: box.x + box.width * (0.5 + dx), y: box.y + box.height * (0.5 + dy) }
  }

  async drag(from: Point, to: Point, steps = 12): Promise<void> {
    await this.page.mouse.move(from.x, from.y)
    await this.page.mouse.down()
    await this.page.mouse.move(to.x, to.y, { steps })
    await this.page.mouse.up()
  }

  /** One stroke with the Liver label across the middle; gives where it began. */
  async paintLiver(): Promise<Point> {
    await this.by('tool-brush').click()
    await this.labelNamed('Liver')
    const from = await this.at(-0.04, 0.02)
    await this.drag(from, await this.at(0.04, 0.02))
    await this.saved()
    return from
  }

  /** Colours of the pixels on screen, after the pointer has left and two frames have passed. */
  async pixels(points: Point[]): Promise<{ r: number; g: number; b: number }[]> {
    await this.ready()
    await this.page.mouse.move(2, 2)
    await this.page.evaluate(
      () => new Promise<void>((done) => requestAnimationFrame(() => requestAnimationFrame(() => done()))),
    )
    const { data, info } = await sharp(await this.page.screenshot())
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true })
    return points.map(({ x, y }) => {
      const at = (Math.round(y) * info.width + Math.round(x)) * info.channels
      return { r: data[at] ?? 0, g: data[at + 1] ?? 0, b: data[at + 2] ?? 0 }
    })
  }

  async pixel(point: Point): Promise<{ r: number; g: number; b: number }> {
    const [pixel] = await this.pixels([point])
    if (pixel === undefined) throw new Error('no pixel')
    return pixel
  }

  /** Share of the viewer's pixels that carry colour: a grey image has none, an overlay has much. */
  async colouredShare(): Promise<number> {
    await this.ready()
    await this.page.mouse.move(2, 2)
    await this.page.evaluate(
      () => new Promise<void>((done) => requestAnimationFrame(() => requestAnimationFrame(() => done()))),
    )
    const shot = await this.by('viewer-canvas').screenshot()
    const { data, info } = await sharp(shot).removeAlpha().raw().toBuffer({ resolveWithObject: true })
    let coloured = 0
    for (let at = 0; at < data.length; at += info.channels) {
      const [r, g, b] = [data[at] ?? 0, data[at + 1] ?? 0, data[at + 2] ?? 0]
      if (Math.max(r, g, b) - Math.min(r, g, b) > 24) coloured++
    }
    return coloured / (info.width * info.height)
  }

  async idle(timeout = 120_000): Promise<void> {
    await expect(this.by('job-cancel')).toHaveCount(0, { timeout })
  }
}
