import { describe, it, expect } from 'vitest'
import { applyDelta, validateDelta } from '../../../core/labelmap/index.ts'
import type { Dims } from '../../../core/contract/schemas.ts'
import { sliceLayout } from '../canvas/layout.ts'
import { planeView } from '../canvas/testing/views.ts'
import { BrushStroke } from './brushStroke.ts'

const free = new Uint8Array(256)

function rows(labels: Uint8Array, width: number): string[] {
  return Array.from({ length: labels.length / width }, (_, y) => labels.slice(y * width, (y + 1) * width).join(''))
}

function stroke(width: number, height: number, labels: Uint8Array, change: object = {}, view: object = {}) {
  const layout = sliceLayout(planeView({ width, height, ...view }))
  return new BrushStroke({ labels, layout, radiusX: 0.5, radiusY: 0.5, label: 2, locked: free, ...change })
}

describe('BrushStroke', () => {
  it('paints one voxel with the smallest brush, wherever in the voxel the pointer is', () => {
    for (const offset of [0.01, 0.5, 0.99]) {
      const labels = new Uint8Array(9)
      const rect = stroke(3, 3, labels).extend([{ x: 1 + offset, y: 1 + offset }])
      expect(rows(labels, 3)).toEqual(['000', '020', '000'])
      expect(rect).toEqual({ x: 1, y: 1, width: 1, height: 1 })
    }
  })

  it('leaves no gap between far positions', () => {
    const labels = new Uint8Array(50 * 5)
    stroke(50, 5, labels).extend([
      { x: 0.5, y: 2.5 },
      { x: 49.5, y: 2.5 },
    ])
    expect(rows(labels, 50)[2]).toBe('2'.repeat(50))
    expect(labels.filter((label) => label === 2)).toHaveLength(50)
  })

  it('paints what is seen: display positions reach the right voxels of mirrored and turned slices', () => {
    const labels = new Uint8Array(6) // buffer of 3 x 2
    stroke(3, 2, labels, {}, { flipColumns: true }).extend([{ x: 0.2, y: 1.7 }])
    expect(rows(labels, 3)).toEqual(['000', '002'])
    labels.fill(0)
    const turned = { columnAxis: 1, rowAxis: 0, flipRows: true }
    // Display of 2 x 3: column = y of the buffer, row = mirrored x.
    stroke(2, 3, labels, {}, turned).extend([{ x: 1.5, y: 0.5 }])
    expect(rows(labels, 3)).toEqual(['000', '002'])
  })

  it('uses the radii of columns and rows where pixels are not square', () => {
    const labels = new Uint8Array(49)
    stroke(7, 7, labels, { radiusX: 3, radiusY: 1 }).extend([{ x: 3.5, y: 3.5 }])
    // (x / 3)^2 + y^2 <= 1 around the centre voxel.
    expect(rows(labels, 7)).toEqual(['0000000', '0000000', '0002000', '2222222', '0002000', '0000000', '0000000'])
    labels.fill(0)
    const turned = { columnAxis: 1, rowAxis: 0 }
    stroke(7, 7, labels, { radiusX: 3, radiusY: 1 }, turned).extend([{ x: 3.5, y: 3.5 }])
    expect(rows(labels, 7)).toEqual(['0002000', '0002000', '0002000', '0022200', '0002000', '0002000', '0002000'])
  })

  it('never changes locked labels', () => {
    const locked = new Uint8Array(256)
    locked[1] = 1
    const labels = Uint8Array.of(0, 1, 3, 0)
    const brush = stroke(4, 1, labels, { locked, radiusX: 9, radiusY: 9 })
    expect(brush.extend([{ x: 1.5, y: 0.5 }])).toEqual({ x: 0, y: 0, width: 4, height: 1 })
    expect([...labels]).toEqual([2, 1, 2, 2])
    const eraser = stroke(4, 1, labels, { locked, radiusX: 9, radiusY: 9, label: 0 })
    eraser.extend([{ x: 1.5, y: 0.5 }])
    expect([...labels]).toEqual([0, 1, 0, 0])
  })

  it('ends in a delta that turns the mask before into the mask after', () => {
    const dims: Dims = [200, 150, 4]
    const volume = Uint8Array.from({ length: 200 * 150 * 4 }, (_, at) => (at * 31) % 3)
    const slice = volume.slice(200 * 150 * 2, 200 * 150 * 3)
    const brush = stroke(200, 150, slice, { radiusX: 7, radiusY: 7 })
    brush.extend([{ x: 60, y: 60 }])
    brush.extend([
      { x: 130, y: 70 },
      { x: 128, y: 131 },
    ])
    const delta = brush.finish(2, 2)
    expect(delta).toMatchObject({ kind: 'brush', label: 2, axis: 2 })
    if (!delta) throw new Error('no delta')
    expect([delta.box.min[2], delta.box.max[2]]).toEqual([2, 3])
    validateDelta(delta, dims)
    applyDelta(volume, dims, delta)
    expect(volume.slice(200 * 150 * 2, 200 * 150 * 3)).toEqual(slice)
  })

  it('has no delta where nothing changed', () => {
    const labels = new Uint8Array(9).fill(2)
    const brush = stroke(3, 3, labels)
    expect(brush.extend([{ x: 1.5, y: 1.5 }])).toBeNull()
    expect(brush.finish(2, 0)).toBeNull()
  })

  it('puts everything back when it is taken back', () => {
    const before = Uint8Array.from({ length: 100 * 90 }, (_, at) => (at * 17) % 4)
    const labels = before.slice()
    const brush = stroke(100, 90, labels, { radiusX: 20, radiusY: 20 })
    brush.extend([
      { x: 5, y: 5 },
      { x: 95, y: 85 },
    ])
    expect(labels).not.toEqual(before)
    const rect = brush.revert()
    expect(labels).toEqual(before)
    expect(rect).toMatchObject({ x: 0, y: 0 })
    expect(brush.finish(2, 0)).toBeNull()
  })
})
