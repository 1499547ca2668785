import { describe, expect, it } from 'vitest'
import { planFixedTiles } from './fixedTiles.ts'

describe('planFixedTiles', () => {
  it('reaches beyond a smaller image evenly on both sides', () => {
    expect(planFixedTiles(10, 64, { width: 16, height: 64 }, 8)).toEqual([
      { input: { left: -3, top: 0, width: 16, height: 64 }, keep: { left: 0, top: 0, width: 10, height: 64 } },
    ])
  })

  it.each([
    [100, 64, 16],
    [64, 65, 100],
    [129, 200, 20],
    [1000, 33, 0],
  ])('covers %i x %i once, inside it, with a margin of %i around what is kept', (width, height, margin) => {
    const size = { width: 64, height: 48 }
    const covered = new Uint8Array(width * height)
    for (const { input, keep } of planFixedTiles(width, height, size, margin)) {
      expect([input.width, input.height]).toEqual([64, 48])
      if (width >= 64) expect(input.left >= 0 && input.left + 64 <= width).toBe(true)
      const context = Math.min(margin, 16)
      if (keep.left > 0) expect(keep.left - input.left).toBeGreaterThanOrEqual(context)
      if (keep.left + keep.width < width)
        expect(input.left + 64 - keep.left - keep.width).toBeGreaterThanOrEqual(context)
      for (let y = keep.top; y < keep.top + keep.height; y++) {
        for (let x = keep.left; x < keep.left + keep.width; x++)
          covered[y * width + x] = (covered[y * width + x] ?? 0) + 1
      }
    }
    expect(covered.every((times) => times === 1)).toBe(true)
  })

  it('begins pieces where halvings of the whole image would, but for a last one that must end with it', () => {
    const columnsOf = (width: number, extent: number, margin: number) =>
      planFixedTiles(width, 128, { width: extent, height: 128 }, margin).map(({ input }) => input.left)
    // 84 of 128 pixels are free of margins; six pieces either way.
    expect(columnsOf(512, 128, 22)).toEqual([0, 80, 160, 240, 320, 384])
    expect(columnsOf(500, 128, 22)).toEqual([0, 80, 160, 240, 320, 372])
    expect(columnsOf(200, 128, 22)).toEqual([0, 72])
    // An odd size has no halvings.
    expect(columnsOf(109, 55, 14)).toEqual([0, 29, 54])
  })
})
