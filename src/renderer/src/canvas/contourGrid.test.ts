import { describe, it, expect } from 'vitest'
import { boundarySegments, ContourGrid } from './contourGrid.ts'
import { sliceLayout } from './layout.ts'
import { planeView } from './testing/views.ts'

/** Unit edges of all segments, as "x,y-x,y", sorted: independent of how segments are joined or tiled. */
function edges(lists: Iterable<readonly number[]>): string[] {
  const found: string[] = []
  for (const list of lists) {
    for (let s = 0; s < list.length; s += 4) {
      const [x0 = 0, y0 = 0, x1 = 0, y1 = 0] = list.slice(s, s + 4)
      const [dx, dy] = [Math.sign(x1 - x0), Math.sign(y1 - y0)]
      for (let [x, y] = [x0, y0]; x !== x1 || y !== y1; x += dx, y += dy) found.push(`${x},${y}-${x + dx},${y + dy}`)
    }
  }
  return found.sort()
}

describe('boundarySegments', () => {
  const layout = sliceLayout(planeView({ width: 4, height: 3 }))
  // . 1 1 .
  // . 1 2 .
  // . . . .
  const labels = Uint8Array.of(0, 1, 1, 0, 0, 1, 2, 0, 0, 0, 0, 0)

  it('surrounds each label, and gives the shared border to both', () => {
    const found = boundarySegments(labels, layout, { x0: 0, y0: 0, x1: 4, y1: 3 })
    expect([...found.keys()].sort()).toEqual([1, 2])
    expect(edges([found.get(2) ?? []])).toEqual(['2,1-2,2', '2,1-3,1', '2,2-3,2', '3,1-3,2'])
    expect(edges([found.get(1) ?? []])).toEqual([
      '1,0-1,1',
      '1,0-2,0',
      '1,1-1,2',
      '1,2-2,2',
      '2,0-3,0',
      '2,1-2,2',
      '2,1-3,1',
      '3,0-3,1',
    ])
  })

  it('joins straight pieces', () => {
    const found = boundarySegments(labels, layout, { x0: 0, y0: 0, x1: 4, y1: 3 })
    const list = found.get(1) ?? []
    const segments = Array.from({ length: list.length / 4 }, (_, s) => list.slice(4 * s, 4 * s + 4).join())
    expect(segments).toContain('1,0,1,2')
    expect(segments).toContain('1,0,3,0')
  })

  it('closes labels that reach the border of the image', () => {
    const full = new Uint8Array(12).fill(3)
    const found = boundarySegments(full, layout, { x0: 0, y0: 0, x1: 4, y1: 3 })
    expect(edges([found.get(3) ?? []])).toHaveLength(2 * (4 + 3))
  })
})

describe('ContourGrid', () => {
  it('gives the same edges whatever the tiles, and computes again only what changed', () => {
    const layout = sliceLayout(planeView({ width: 9, height: 7 }))
    const labels = Uint8Array.from({ length: 63 }, (_, at) => (at * 7919) % 3)
    const whole = { x0: 0, y0: 0, x1: 9, y1: 7 }
    const computed: string[] = []
    const grid = new ContourGrid(9, 7, 4, (rect) => {
      computed.push(`${rect.x0},${rect.y0}`)
      return boundarySegments(labels, layout, rect)
    })
    const byTile = grid.visible(whole)
    const atOnce = boundarySegments(labels, layout, whole)
    for (const label of [1, 2]) {
      expect(edges(byTile.get(label) ?? [])).toEqual(edges([atOnce.get(label) ?? []]))
    }
    expect(computed).toHaveLength(6)
    computed.length = 0
    grid.visible(whole)
    expect(computed).toEqual([])
    // Voxel (3, 1) is the last of its tile: its right edge belongs to the next one.
    labels[9 + 3] = ((labels[9 + 3] ?? 0) + 1) % 3
    grid.invalidate({ x0: 3, y0: 1, x1: 4, y1: 2 })
    const after = grid.visible(whole)
    expect(computed.sort()).toEqual(['0,0', '4,0'])
    const fresh = boundarySegments(labels, layout, whole)
    expect(edges(after.get(1) ?? [])).toEqual(edges([fresh.get(1) ?? []]))
  })
})
