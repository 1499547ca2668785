import { describe, expect, it } from 'vitest'
import { chooseLevel, tileName, tileRect, tileSize, tilesIn, tilesTowards, type Pyramid } from './pyramid.ts'

/** 1000 x 600 in three levels, each half of the one before, tiles of 256. */
const pyramid: Pyramid = {
  tileWidth: 256,
  tileHeight: 256,
  levels: [
    { width: 1000, height: 600 },
    { width: 500, height: 300 },
    { width: 250, height: 150 },
  ],
}
const everything = { x0: 0, y0: 0, x1: 1000, y1: 600 }
const plenty = 1e9

describe('tiles of a level', () => {
  it('are smaller at the right and lower edge', () => {
    expect(tileSize(pyramid, { level: 0, column: 0, row: 0 })).toEqual({ width: 256, height: 256 })
    expect(tileSize(pyramid, { level: 0, column: 3, row: 2 })).toEqual({ width: 232, height: 88 })
    expect(tileSize(pyramid, { level: 0, column: 4, row: 0 })).toEqual({ width: 0, height: 256 })
    expect(tileRect(pyramid, { level: 1, column: 1, row: 1 })).toEqual({ x0: 512, y0: 512, x1: 1000, y1: 600 })
  })

  it('are those that touch an area, and none beside the slide', () => {
    expect(tilesIn(pyramid, 0, everything)).toEqual({ column0: 0, column1: 4, row0: 0, row1: 3 })
    expect(tilesIn(pyramid, 0, { x0: 255.5, y0: 10, x1: 256.5, y1: 20 })).toEqual({
      column0: 0,
      column1: 2,
      row0: 0,
      row1: 1,
    })
    expect(tilesIn(pyramid, 1, { x0: 512, y0: 0, x1: 900, y1: 512 })).toEqual({
      column0: 1,
      column1: 2,
      row0: 0,
      row1: 1,
    })
    const beside = tilesIn(pyramid, 0, { x0: 2000, y0: -500, x1: 3000, y1: -1 })
    expect(tilesTowards(pyramid, 0, beside, { x: 0, y: 0 })).toEqual([])
  })

  it('cover the slide without gap or overlap where levels are rounded', () => {
    const odd: Pyramid = {
      ...pyramid,
      levels: [
        { width: 1001, height: 601 },
        { width: 500, height: 300 },
      ],
    }
    const left = tileRect(odd, { level: 1, column: 0, row: 0 })
    const right = tileRect(odd, { level: 1, column: 1, row: 0 })
    expect(right.x0).toBe(left.x1)
    expect(right.x1).toBeCloseTo(1001, 9)
    expect(tileRect(odd, { level: 1, column: 1, row: 1 }).y1).toBeCloseTo(601, 9)
  })

  it('are asked for from the centre outwards', () => {
    const names = tilesTowards(pyramid, 0, tilesIn(pyramid, 0, everything), { x: 384, y: 128 }).map(tileName)
    expect(names[0]).toBe('0/1/0')
    expect(new Set(names.slice(1, 4))).toEqual(new Set(['0/0/0', '0/2/0', '0/1/1']))
    expect(names.at(-1)).toBe('0/3/2')
    expect(names).toHaveLength(12)
  })
})

describe('the level', () => {
  it('is the coarsest that is not magnified', () => {
    expect(chooseLevel(pyramid, 1, everything, plenty)).toBe(0)
    expect(chooseLevel(pyramid, 4, everything, plenty)).toBe(0)
    expect(chooseLevel(pyramid, 0.51, everything, plenty)).toBe(0)
    expect(chooseLevel(pyramid, 0.5, everything, plenty)).toBe(1)
    expect(chooseLevel(pyramid, 0.3, everything, plenty)).toBe(1)
    expect(chooseLevel(pyramid, 0.25, everything, plenty)).toBe(2)
    expect(chooseLevel(pyramid, 0.01, everything, plenty)).toBe(2)
  })

  it('is coarser where the screen would not fit into the cache', () => {
    expect(chooseLevel(pyramid, 1, everything, 600_000)).toBe(0)
    expect(chooseLevel(pyramid, 1, everything, 599_999)).toBe(1)
    expect(chooseLevel(pyramid, 1, everything, 149_999)).toBe(2)
    expect(chooseLevel(pyramid, 1, everything, 1)).toBe(2)
  })

  it('of a slide without levels is the only one', () => {
    const flat: Pyramid = { ...pyramid, levels: [{ width: 1000, height: 600 }] }
    expect(chooseLevel(flat, 0.01, everything, 1)).toBe(0)
  })
})
