import { describe, expect, it } from 'vitest'
import { coverWindow, frameOf, planTiles } from './tiles.ts'
import type { Tile, TileBounds } from './tiles.ts'

/** How often each pixel of width x height is kept. */
function timesKept(tiles: readonly Tile[], width: number, height: number): Set<number> {
  const times = new Uint8Array(width * height)
  for (const { keep } of tiles) {
    for (let y = keep.top; y < keep.top + keep.height; y++) {
      for (let x = keep.left; x < keep.left + keep.width; x++) times[y * width + x] = (times[y * width + x] ?? 0) + 1
    }
  }
  return new Set(times)
}

describe('planTiles', () => {
  it('mirrors a small image out to multiples of the step, evenly', () => {
    expect(planTiles(35, 50, { step: 16, margin: 64, pixels: 1e6 })).toEqual([
      {
        input: { left: -6, top: -7, width: 48, height: 64 },
        keep: { left: 0, top: 0, width: 35, height: 50 },
      },
    ])
  })

  it('takes an image in one piece exactly as long as the bound allows', () => {
    expect(planTiles(1100, 700, { step: 16, margin: 48, pixels: 1104 * 704 })).toHaveLength(1)
    expect(planTiles(1100, 700, { step: 16, margin: 48, pixels: 1104 * 704 - 1 }).length).toBeGreaterThan(1)
  })

  it.each([
    [1500, 1030, { step: 16, margin: 107, pixels: 640 * 640 }],
    [4096, 4096, { step: 8, margin: 51, pixels: 1024 * 1024 }],
    [4000, 37, { step: 8, margin: 51, pixels: 300 * 40 }],
    [61, 3000, { step: 32, margin: 100, pixels: 64 * 1024 }],
    [1100, 700, { step: 8, margin: 51, pixels: 256 * 256 }],
    [999, 1001, { step: 1, margin: 0, pixels: 200 * 100 }],
    [700, 700, { step: 64, margin: 300, pixels: 192 * 192 }],
  ] satisfies [number, number, TileBounds][])(
    'covers %i x %i once, on the grid of the whole, inside it, with context around what is kept',
    (width, height, bounds) => {
      const frame = frameOf(width, height, bounds.step)
      const tiles = planTiles(width, height, bounds)
      expect(timesKept(tiles, width, height)).toEqual(new Set([1]))
      const [first] = tiles
      const wanted = Math.min(bounds.margin, Math.floor(Math.sqrt(bounds.pixels) / 4 / bounds.step) * bounds.step)
      for (const { input, keep } of tiles) {
        expect([input.width, input.height]).toEqual([first?.input.width, first?.input.height])
        expect([input.width % bounds.step, input.height % bounds.step]).toEqual([0, 0])
        expect((input.left - frame.left) % bounds.step).toBe(0)
        expect((input.top - frame.top) % bounds.step).toBe(0)
        expect(input.width * input.height).toBeLessThanOrEqual(bounds.pixels)
        const sides = [
          [keep.left - input.left, input.left === frame.left],
          [keep.top - input.top, input.top === frame.top],
          [input.left + input.width - keep.left - keep.width, input.left + input.width === frame.left + frame.width],
          [input.top + input.height - keep.top - keep.height, input.top + input.height === frame.top + frame.height],
        ] as const
        for (const [context, atBorder] of sides) if (!atBorder) expect(context).toBeGreaterThanOrEqual(wanted)
        expect(input.left).toBeGreaterThanOrEqual(frame.left)
        expect(input.top + input.height).toBeLessThanOrEqual(frame.top + frame.height)
      }
    },
  )

  it('computes little more than it keeps where memory allows large tiles', () => {
    const tiles = planTiles(4096, 4096, { step: 8, margin: 51, pixels: 2048 * 2048 })
    const computed = tiles.reduce((sum, { input }) => sum + input.width * input.height, 0)
    expect(computed / 4096 ** 2).toBeLessThan(1.15)
  })

  it('goes no smaller than the least tile, whatever the bound', () => {
    const tiles = planTiles(200, 200, { step: 16, margin: 100, pixels: 10 })
    expect(tiles.every(({ input }) => input.width === 64 && input.height === 64)).toBe(true)
    expect(timesKept(tiles, 200, 200)).toEqual(new Set([1]))
  })
})

describe('coverWindow', () => {
  it('splits what a tile keeps into smaller tiles with the same pixels', () => {
    const bounds = { step: 16, margin: 40, pixels: 400 * 400 }
    const frame = frameOf(1100, 700, 16)
    const tiles = planTiles(1100, 700, bounds)
    const smaller = tiles.flatMap(({ keep }) => coverWindow(keep, frame, { ...bounds, pixels: 200 * 200 }))
    expect(smaller.length).toBeGreaterThan(tiles.length)
    expect(timesKept(smaller, 1100, 700)).toEqual(new Set([1]))
    for (const { input } of smaller) expect(input.width * input.height).toBeLessThanOrEqual(200 * 200)
  })
})
