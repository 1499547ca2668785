import { describe, it, expect } from 'vitest'
import type { Rect } from './layout.ts'
import { TileGrid, type TileSurface } from './tileGrid.ts'

interface FakeSurface extends TileSurface {
  readonly pixels: Map<string, number>
}

function harness(width: number, height: number, tile: number, pixel: (x: number, y: number) => number) {
  const painted: Rect[] = []
  const drawn: { source: unknown; at: number[] }[] = []
  const grid = new TileGrid(
    width,
    height,
    tile,
    (rect, out) => {
      painted.push(rect)
      let at = 0
      let any = false
      for (let y = rect.y0; y < rect.y1; y++) {
        for (let x = rect.x0; x < rect.x1; x++) {
          out[at] = pixel(x, y)
          any ||= out[at] !== 0
          at++
        }
      }
      return any
    },
    (): FakeSurface => {
      const pixels = new Map<string, number>()
      return {
        pixels,
        source: pixels as unknown as CanvasImageSource,
        put(words, w, h, x, y) {
          for (let k = 0; k < w * h; k++) pixels.set(`${x + (k % w)},${y + Math.floor(k / w)}`, words[k] ?? -1)
        },
      }
    },
  )
  const target = {
    drawImage: (source: unknown, ...at: number[]) => {
      drawn.push({ source, at })
    },
  } as unknown as CanvasRenderingContext2D
  return { grid, painted, drawn, target }
}

const screen = { x0: 0, y0: 0, x1: 1000, y1: 1000 }
const plain = { offsetX: 0, offsetY: 0, scaleX: 10, scaleY: 10 }

describe('TileGrid', () => {
  it('paints each tile once, then only what was invalidated', () => {
    let value = 1
    const { grid, painted, drawn, target } = harness(6, 4, 4, () => value)
    grid.draw(target, plain, 1, screen)
    expect(painted).toEqual([
      { x0: 0, y0: 0, x1: 4, y1: 4 },
      { x0: 4, y0: 0, x1: 6, y1: 4 },
    ])
    expect(drawn.map(({ at }) => at)).toEqual([
      [0, 0, 40, 40],
      [40, 0, 20, 40],
    ])
    painted.length = 0
    value = 2
    grid.invalidate({ x0: 3, y0: 1, x1: 5, y1: 2 })
    grid.draw(target, plain, 1, screen)
    expect(painted).toEqual([
      { x0: 3, y0: 1, x1: 4, y1: 2 },
      { x0: 4, y0: 1, x1: 5, y1: 2 },
    ])
    const left = drawn.at(-2)?.source as Map<string, number>
    expect([left.get('3,1'), left.get('2,1')]).toEqual([2, 1])
  })

  it('leaves what is off screen for later', () => {
    const { grid, painted, target } = harness(8, 4, 4, () => 1)
    grid.draw(target, plain, 1, { x0: 0, y0: 0, x1: 40, y1: 40 })
    expect(painted).toHaveLength(1)
    grid.draw(target, plain, 1, screen)
    expect(painted).toHaveLength(2)
  })

  it('does not draw tiles without anything on them, and shows them again when something comes', () => {
    const set = new Set<string>()
    const { grid, drawn, target } = harness(4, 4, 4, (x, y) => (set.has(`${x},${y}`) ? 7 : 0))
    grid.draw(target, plain, 1, screen)
    expect(drawn).toEqual([])
    set.add('1,1')
    grid.invalidate({ x0: 1, y0: 1, x1: 2, y1: 2 })
    grid.draw(target, plain, 1, screen)
    expect((drawn.at(-1)?.source as Map<string, number>).get('1,1')).toBe(7)
    set.clear()
    grid.invalidate({ x0: 0, y0: 0, x1: 2, y1: 2 })
    grid.draw(target, plain, 1, screen)
    expect((drawn.at(-1)?.source as Map<string, number>).get('1,1')).toBe(0)
    drawn.length = 0
    grid.invalidate()
    grid.draw(target, plain, 1, screen)
    expect(drawn).toEqual([])
  })

  it('snaps edges to device pixels, so that tiles meet', () => {
    const { grid, drawn, target } = harness(8, 4, 4, () => 1)
    grid.draw(target, { offsetX: 0.3, offsetY: 0.3, scaleX: 1.3, scaleY: 1.3 }, 2, screen)
    const [first, second] = drawn.map(({ at }) => at)
    // 0.3 -> 0.5; 0.3 + 4 * 1.3 = 5.5; 0.3 + 8 * 1.3 = 10.7 -> 10.5 at two device pixels a CSS pixel.
    expect(first?.[0]).toBe(0.5)
    expect((first?.[0] ?? 0) + (first?.[2] ?? 0)).toBe(5.5)
    expect(second?.[0]).toBe(5.5)
    expect((second?.[0] ?? 0) + (second?.[2] ?? 0)).toBe(10.5)
  })
})
