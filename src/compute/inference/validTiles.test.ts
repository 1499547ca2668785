import { describe, expect, it } from 'vitest'
import { planBlendedTiles } from './blendedTiles.ts'
import { coverValidWindow, planValidTiles } from './validTiles.ts'
import type { Tile } from './tiles.ts'

/** The U-Net of the paper: 92 pixels less at each side, results of 4, 20, 36 … pixels. */
const paper = { least: 4, step: 16, margin: 92 }

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

describe('tiles of valid convolutions', () => {
  it('are those of the paper: 572 pixels in for 388 out', () => {
    expect(planValidTiles(388, 388, { ...paper, pixels: 1e9 })).toEqual([
      {
        input: { left: -92, top: -92, width: 572, height: 572 },
        keep: { left: 0, top: 0, width: 388, height: 388 },
      },
    ])
    // The EM slices of the paper where memory is for 572 x 572 at most.
    const tiles = planValidTiles(512, 512, { ...paper, pixels: 572 * 572 })
    // Four of its tiles, or less to compute.
    expect(tiles.reduce((sum, { input }) => sum + input.width * input.height, 0)).toBeLessThanOrEqual(4 * 572 * 572)
    expect(tiles.length).toBeGreaterThan(1)
    expect(timesKept(tiles, 512, 512)).toEqual(new Set([1]))
  })

  it.each([
    [512, 512, 1e9],
    [512, 512, 572 * 572],
    [700, 300, 300 * 300],
    [61, 3000, 250 * 250],
    [1, 1, 1],
    [33, 77, 204 * 204],
    [1030, 999, 220 * 220],
  ])('cover %i x %i once, on one grid, with the margin around what is kept', (width, height, pixels) => {
    const tiles = planValidTiles(width, height, { ...paper, pixels })
    expect(timesKept(tiles, width, height)).toEqual(new Set([1]))
    const [first] = tiles
    for (const { input, keep } of tiles) {
      expect([input.width, input.height]).toEqual([first?.input.width, first?.input.height])
      expect([(input.width - 188) % 16, (input.height - 188) % 16]).toEqual([0, 0])
      expect(
        Math.abs(((input.left - (first?.input.left ?? 0)) % 16) + ((input.top - (first?.input.top ?? 0)) % 16)),
      ).toBe(0)
      expect(keep.left - input.left).toBeGreaterThanOrEqual(92)
      expect(keep.top - input.top).toBeGreaterThanOrEqual(92)
      expect(input.left + input.width - keep.left - keep.width).toBeGreaterThanOrEqual(92)
      expect(input.top + input.height - keep.top - keep.height).toBeGreaterThanOrEqual(92)
      // No smaller: results lie on a grid of 16 pixels.
      if (pixels >= 204 * 204) expect(input.width * input.height).toBeLessThanOrEqual(pixels)
    }
  })

  it('are split on the same grid where memory turns out to be short', () => {
    const bounds = { ...paper, pixels: 572 * 572 }
    const tiles = planValidTiles(700, 500, bounds)
    const smaller = tiles.flatMap(({ keep }) =>
      coverValidWindow(keep, { width: 700, height: 500 }, { ...bounds, pixels: 300 * 300 }),
    )
    expect(smaller.length).toBeGreaterThan(tiles.length)
    expect(timesKept(smaller, 700, 500)).toEqual(new Set([1]))
    for (const { input } of smaller) {
      expect(Math.abs((input.left - (tiles[0]?.input.left ?? 0)) % 16)).toBe(0)
      expect(input.width * input.height).toBeLessThanOrEqual(300 * 300)
    }
  })
})

describe('blended tiles', () => {
  it('are one without weights where memory allows', () => {
    expect(planBlendedTiles(35, 50, { step: 16, margin: 64, pixels: 1e6, overlap: 0.25 })).toEqual([
      { input: { left: -6, top: -7, width: 48, height: 64 }, keep: { left: 0, top: 0, width: 35, height: 50 } },
    ])
  })

  it.each([
    [1100, 700, { step: 16, margin: 107, pixels: 400 * 400, overlap: 0.25 }],
    [4000, 37, { step: 8, margin: 51, pixels: 300 * 40, overlap: 0.5 }],
    [999, 1001, { step: 1, margin: 0, pixels: 200 * 100, overlap: 0 }],
    [700, 700, { step: 64, margin: 300, pixels: 192 * 192, overlap: 0.9 }],
  ])('reach every pixel of %i x %i with some weight, and lie inside', (width, height, bounds) => {
    const tiles = planBlendedTiles(width, height, bounds)
    const weights = new Float32Array(width * height)
    const [left = 0, top = 0] = [tiles[0]?.input.left, tiles[0]?.input.top]
    for (const { input, keep, ramp } of tiles) {
      expect([Math.abs((input.left - left) % bounds.step), Math.abs((input.top - top) % bounds.step)]).toEqual([0, 0])
      expect(keep.left).toBeGreaterThanOrEqual(Math.max(0, input.left))
      expect(keep.top).toBeGreaterThanOrEqual(Math.max(0, input.top))
      expect(keep.left + keep.width).toBeLessThanOrEqual(Math.min(width, input.left + input.width))
      for (let y = 0; y < keep.height; y++) {
        for (let x = 0; x < keep.width; x++) {
          const at = (keep.top + y) * width + keep.left + x
          weights[at] = (weights[at] ?? 0) + (ramp?.columns[x] ?? NaN) * (ramp?.rows[y] ?? NaN)
        }
      }
    }
    expect(Math.min(...[...weights].slice(0, 1e5))).toBeGreaterThan(0)
    expect(weights.every((weight) => weight > 0)).toBe(true)
  })
})
