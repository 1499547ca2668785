import { describe, it, expect } from 'vitest'
import { boundsOf, contours, diskOutline, lockTable, paintSpans, stampDisk, strokeCapsule } from './index.ts'

/** Draws text pictures: '#' is set. */
function picture(text: string): { slice: Uint8Array; width: number; height: number } {
  const rows = text.trim().split(/\s+/)
  const width = rows[0]?.length ?? 0
  const slice = Uint8Array.from(rows.join(''), (mark) => (mark === '.' ? 0 : mark === '#' ? 1 : Number(mark)))
  return { slice, width, height: rows.length }
}

function raster(width: number, height: number, spans: Int32Array): Uint8Array {
  const slice = new Uint8Array(width * height)
  for (let s = 0; s < spans.length; s += 3) {
    const [row = 0, start = 0, end = 0] = spans.subarray(s, s + 3)
    slice.fill(1, row * width + start, row * width + end)
  }
  return slice
}

/** By definition: is the pixel centre within the radius of the segment, in units of the radii? */
function byDistance(
  width: number,
  height: number,
  x0: number,
  y0: number,
  x1: number,
  y1: number,
  rx: number,
  ry: number,
) {
  const slice = new Uint8Array(width * height)
  for (let j = 0; j < height; j++) {
    for (let i = 0; i < width; i++) {
      const [px, py] = [(i + 0.5 - x0) / rx, (j + 0.5 - y0) / ry]
      const [dx, dy] = [(x1 - x0) / rx, (y1 - y0) / ry]
      const squared = dx * dx + dy * dy
      const t = squared === 0 ? 0 : Math.min(1, Math.max(0, (px * dx + py * dy) / squared))
      const under = (x: number, y: number): boolean => i === Math.floor(x) && j === Math.floor(y)
      if (Math.hypot(px - t * dx, py - t * dy) <= 1 + 1e-9 || under(x0, y0) || under(x1, y1)) slice[j * width + i] = 1
    }
  }
  return slice
}

/** Pixels in spans [row, start, end) …. */
const area = (spans: Int32Array) =>
  spans.reduce((sum, value, at) => sum + (at % 3 === 1 ? -value : at % 3 === 2 ? value : 0), 0)

describe('stampDisk', () => {
  it('draws the disk of radius 2 around a pixel centre', () => {
    const { slice } = picture('......... ....#.... ...###... ..#####.. ...###... ....#.... .........')
    expect([...raster(9, 7, stampDisk(9, 7, 4.5, 3.5, 2))]).toEqual([...slice])
  })
  it('draws the disk of radius 1 around a pixel corner', () => {
    expect([...stampDisk(9, 9, 4, 4, 1)]).toEqual([3, 3, 5, 4, 3, 5])
  })
  it('always sets the pixel under the pointer', () => {
    expect([...stampDisk(9, 9, 4.01, 4.01, 0.5)]).toEqual([4, 4, 5])
    expect([...stampDisk(9, 9, 4.5, 4.5, 0.1)]).toEqual([4, 4, 5])
  })
  it('is clipped at the edges and empty outside', () => {
    expect([...stampDisk(3, 2, 0.5, 0.5, 1)]).toEqual([0, 0, 2, 1, 0, 1])
    expect(stampDisk(3, 2, -5, 0.5, 2).length).toBe(0)
    expect(stampDisk(3, 2, 1, 50, 2).length).toBe(0)
    expect(stampDisk(3, 2, Number.NaN, Number.NaN, 2).length).toBe(0)
  })
})

describe('strokeCapsule', () => {
  it('holds exactly the pixels near the segment', () => {
    let seed = 1
    const random = (): number => (seed = (seed * 16807) % 2147483647) / 2147483647
    for (let round = 0; round < 400; round++) {
      const [x0, y0, x1, y1] = [random() * 50 - 5, random() * 40 - 5, random() * 50 - 5, random() * 40 - 5]
      const [rx, ry] = [0.5 + random() * 9, 0.5 + random() * 9]
      const spans = strokeCapsule(40, 30, x0, y0, x1, y1, rx, ry)
      expect([...raster(40, 30, spans)]).toEqual([...byDistance(40, 30, x0, y0, x1, y1, rx, ry)])
    }
  })
  it('leaves no gap at any speed, also with the smallest brush', () => {
    for (const [x1, y1] of [
      [93.2, 7.4],
      [12.1, 95.7],
      [88.8, 60.1],
      [5.5, 5.5],
    ] as const) {
      const slice = raster(100, 100, strokeCapsule(100, 100, 5.3, 5.9, x1, y1, 0.5))
      // 8-connected: shrink to one component by flooding.
      const start = slice.indexOf(1)
      const stack = [start]
      slice[start] = 2
      for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
        for (const step of [-101, -100, -99, -1, 1, 99, 100, 101]) {
          if (slice[at + step] === 1) {
            slice[at + step] = 2
            stack.push(at + step)
          }
        }
      }
      expect(slice.includes(1)).toBe(false)
      expect(slice[Math.floor(y1) * 100 + Math.floor(x1)]).toBe(2)
    }
  })
})

describe('paintSpans', () => {
  it('paints, keeps locked labels and returns the changed rectangle', () => {
    const { slice, width } = picture('..2.. .12.. .....')
    const locked = lockTable([
      { value: 2, locked: true },
      { value: 1, locked: false },
    ])
    const spans = Int32Array.of(0, 1, 4, 1, 0, 3)
    expect(paintSpans(slice, width, spans, 3, locked)).toEqual({ x: 0, y: 0, width: 4, height: 2 })
    expect([...slice]).toEqual([0, 3, 2, 3, 0, 3, 3, 2, 0, 0, 0, 0, 0, 0, 0])
    expect(paintSpans(slice, width, spans, 3, locked)).toBeNull()
    expect(paintSpans(slice, width, spans, 2, locked)).toBeNull()
    expect(paintSpans(slice, width, spans, 0, locked)).toEqual({ x: 0, y: 0, width: 4, height: 2 })
  })
})

describe('diskOutline', () => {
  it('is a unit square for one pixel and a cross for radius 1', () => {
    expect(diskOutline(4.5, 3.5, 0.5)).toEqual([5, 3, 5, 4, 4, 4, 4, 3])
    expect(diskOutline(0.5, 0.5, 1)).toEqual([
      1, -1, 1, 0, 2, 0, 2, 1, 1, 1, 1, 2, 0, 2, 0, 1, -1, 1, -1, 0, 0, 0, 0, -1,
    ])
  })
  it('encloses exactly the pixels that a stamp sets', () => {
    for (const [cx, cy, rx, ry] of [
      [20.3, 20.7, 7.3, 7.3],
      [20, 20, 3, 9.5],
      [18.9, 21.1, 12, 2.2],
    ] as const) {
      const outline = diskOutline(cx, cy, rx, ry)
      let twiceArea = 0
      for (let p = 0; p < outline.length; p += 2) {
        const q = (p + 2) % outline.length
        twiceArea += (outline[p] ?? 0) * (outline[q + 1] ?? 0) - (outline[q] ?? 0) * (outline[p + 1] ?? 0)
        // Along pixel edges alone: each piece is horizontal or vertical.
        expect(outline[p] === outline[q] || outline[p + 1] === outline[q + 1]).toBe(true)
      }
      expect(twiceArea / 2).toBe(area(stampDisk(60, 60, cx, cy, rx, ry)))
    }
  })
})

describe('contours', () => {
  it('goes round a rectangle clockwise, with corners alone', () => {
    const { slice, width, height } = picture('..... .###. .###. .....')
    expect(contours(slice, width, height, 1).map((line) => [...line])).toEqual([[1, 1, 4, 1, 4, 3, 1, 3]])
    expect(boundsOf(slice, width, height, 1)).toEqual({ x: 1, y: 1, width: 3, height: 2 })
  })
  it('goes round a hole the other way', () => {
    const { slice, width, height } = picture('### #.# ###')
    expect(contours(slice, width, height, 1).map((line) => [...line])).toEqual([
      [0, 0, 3, 0, 3, 3, 0, 3],
      [1, 2, 2, 2, 2, 1, 1, 1],
    ])
  })
  it('keeps pixels apart that touch at a corner', () => {
    const { slice, width, height } = picture('#. .#')
    expect(contours(slice, width, height, 1).map((line) => [...line])).toEqual([
      [0, 0, 1, 0, 1, 1, 0, 1],
      [1, 1, 2, 1, 2, 2, 1, 2],
    ])
    const other = picture('.#. #.# .#.')
    expect(contours(other.slice, 3, 3, 1).length).toBe(4)
    // Two empty pixels inside that touch at a corner belong to one hole, since the label does not join there.
    const hole = picture('#### #.## ##.# ####')
    expect(contours(hole.slice, 4, 4, 1).map((line) => line.length)).toEqual([8, 16])
  })
  it('handles the edge of the image, several labels and none', () => {
    const { slice, width, height } = picture('12 12')
    expect(contours(slice, width, height, 2).map((line) => [...line])).toEqual([[1, 0, 2, 0, 2, 2, 1, 2]])
    expect(contours(slice, width, height, 3)).toEqual([])
  })
  it('encloses exactly the label in random pictures', () => {
    let seed = 7
    const random = (): number => (seed = (seed * 16807) % 2147483647) / 2147483647
    for (let round = 0; round < 60; round++) {
      const slice = Uint8Array.from({ length: 13 * 11 }, () => (random() < 0.5 ? 1 : 0))
      let twiceArea = 0
      for (const line of contours(slice, 13, 11, 1)) {
        for (let p = 0; p < line.length; p += 2) {
          const q = (p + 2) % line.length
          twiceArea += (line[p] ?? 0) * (line[q + 1] ?? 0) - (line[q] ?? 0) * (line[p + 1] ?? 0)
        }
      }
      expect(twiceArea / 2).toBe(slice.reduce((sum, value) => sum + value, 0))
    }
  })
})
