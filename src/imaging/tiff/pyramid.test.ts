import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readImage, readImageInfo } from '../index.ts'
import { temporaryFolder } from '../testing/folders.ts'

const hasVips = spawnSync('vips', ['--version'], { stdio: 'ignore' }).status === 0

let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(() => folder.remove())

function vips(...args: string[]): void {
  const { status, stderr } = spawnSync('vips', args, { encoding: 'utf8', timeout: 240_000 })
  expect(status, stderr).toBe(0)
}

interface Found {
  readonly dims: number[]
  readonly tiled: boolean
  readonly levels: number[][]
  readonly found: number[][][]
  readonly last: number[]
  readonly region: number
  readonly megabytes: number
}

/** Of the process that reads; Node with its modules takes a fifth of it. */
const MOST_MEGABYTES = 450

describe.skipIf(!hasVips)('a pyramid of 40,000 x 30,000 pixels (needs vips)', () => {
  it('is read in pieces in bounded memory', { timeout: 300_000 }, async () => {
    const small = join(folder.path, 'small.v')
    const slide = join(folder.path, 'slide.tif')
    // A rectangle and a disk on black, ten by ten times.
    vips('black', small, '4000', '3000', '--bands', '3')
    vips('draw_rect', small, '200 30 90', '100', '200', '1700', '900', '--fill')
    vips('draw_circle', small, '20 180 40', '2500', '1500', '700', '--fill')
    vips(
      'replicate',
      small,
      `${slide}[tile,pyramid,bigtiff,compression=jpeg,tile-width=256,tile-height=256]`,
      '10',
      '10',
    )
    const script = fileURLToPath(new URL('testing/slideChild.ts', import.meta.url))
    const child = spawnSync(process.execPath, [script, slide], { encoding: 'utf8', timeout: 200_000 })
    expect(child.status, child.stderr).toBe(0)
    const found = JSON.parse(child.stdout) as Found
    expect(found).toMatchObject({ dims: [40_000, 30_000, 1, 1], tiled: true, last: [64, 304], region: 36_000_000 })
    expect(found.levels.length).toBeGreaterThanOrEqual(7)
    expect(found.levels.slice(0, 3)).toEqual([
      [40_000, 30_000],
      [20_000, 15_000],
      [10_000, 7500],
    ])
    expect(Math.max(...(found.levels.at(-1) ?? []))).toBeLessThanOrEqual(512)
    const near = (pixel: number[] | undefined, colour: number[]): boolean =>
      pixel?.length === 3 && pixel.every((value, c) => Math.abs(value - (colour[c] ?? 0)) <= 12)
    // Further down the shapes are too small for their colour to be that of a pixel.
    for (const level of [0, 1, 2, 3]) {
      const [rectangle, disk, corner, gap] = found.found[level] ?? []
      expect(near(rectangle, [200, 30, 90]), `rectangle at level ${level}`).toBe(true)
      expect(near(disk, [20, 180, 40]), `disk at level ${level}`).toBe(true)
      expect(near(corner, [0, 0, 0]), `corner at level ${level}`).toBe(true)
      expect(near(gap, [0, 0, 0]), `gap at level ${level}`).toBe(true)
    }
    expect(found.megabytes).toBeLessThan(MOST_MEGABYTES)
    expect(await readImageInfo(slide)).toMatchObject({ tiled: true, channels: 3, frames: 1 })
    await expect(readImage(slide)).rejects.toThrow(/1200 million pixels/)
    const region = { level: 0, x: 20_090, y: 6190, width: 20, height: 20 }
    const image = await readImage(slide, { selection: { region } })
    expect(image).toMatchObject({ kind: 'image', dims: [20, 20, 1], channels: 3 })
  })
})
