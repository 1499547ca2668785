import { describe, it, expect } from 'vitest'
import { CodedError } from '../contract/errors.ts'
import type { Dims } from '../contract/schemas.ts'
import {
  applyDelta,
  applyDeltaToSlice,
  boxOfSlice,
  boxOfSliceRect,
  boxVolume,
  decodeRuns,
  deltaRuns,
  encodeRuns,
  extractSlice,
  invertRuns,
  joinRects,
  labelPalette,
  labelsTouched,
  markDelta,
  nextLabelColor,
  readRect,
  validateDelta,
  writeBox,
  writeSlice,
  type LabelDelta,
} from './index.ts'

const dims: Dims = [4, 3, 2]
const counting = (): Uint8Array => Uint8Array.from({ length: 24 }, (_, i) => i)
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

function codeOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    return error instanceof CodedError ? error.code : 'other'
  }
  return 'none'
}

describe('boxes', () => {
  it('knows the box of a slice and its volume', () => {
    expect(boxOfSlice(dims, 1, 2)).toEqual({ min: [0, 2, 0], max: [4, 3, 2] })
    expect(boxVolume(boxOfSlice(dims, 1, 2))).toBe(8)
  })
  it('lays a rectangle of a slice into the volume', () => {
    const rect = { x: 1, y: 0, width: 2, height: 1 }
    expect(boxOfSliceRect(0, 3, rect)).toEqual({ min: [3, 1, 0], max: [4, 3, 1] })
    expect(boxOfSliceRect(2, 1, rect)).toEqual({ min: [1, 0, 1], max: [3, 1, 2] })
  })
  it('joins rectangles', () => {
    const a = { x: 2, y: 3, width: 1, height: 1 }
    expect(joinRects(a, { x: 0, y: 5, width: 1, height: 2 })).toEqual({ x: 0, y: 3, width: 3, height: 4 })
    expect(joinRects(null, a)).toBe(a)
  })
})

describe('runs', () => {
  it('finds the changes between two boxes', () => {
    const runs = deltaRuns(bytes(0, 0, 1, 1, 2, 2), bytes(0, 5, 5, 5, 2, 0))
    expect([...runs]).toEqual([1, 1, 0, 5, 2, 2, 1, 5, 5, 1, 2, 0])
    expect(labelsTouched(runs)).toEqual(new Set([0, 1, 2, 5]))
    expect([...invertRuns(runs)]).toEqual([1, 1, 5, 0, 2, 2, 5, 1, 5, 1, 0, 2])
  })
  it('grows beyond its first buffer', () => {
    const before = new Uint8Array(2000)
    const after = before.map((_, i) => (i % 2) * 7)
    const runs = deltaRuns(before, after)
    expect(runs.length).toBe(4000)
    expect([...runs.subarray(3996)]).toEqual([1999, 1, 0, 7])
  })
  it('encodes to the documented bytes and back', () => {
    const runs = Uint32Array.of(300, 2, 0, 5, 302, 128, 255, 1)
    const encoded = encodeRuns(runs)
    // 300 = 0xAC 0x02, 128 = 0x80 0x01 as LEB128.
    expect([...encoded]).toEqual([1, 2, 0xac, 2, 2, 0, 5, 0, 0x80, 1, 255, 1])
    expect(decodeRuns(encoded)).toEqual(runs)
    expect(decodeRuns(encodeRuns(new Uint32Array(0)))).toEqual(new Uint32Array(0))
    const far = Uint32Array.of(4_000_000_000, 200_000_000, 1, 2)
    expect(decodeRuns(encodeRuns(far))).toEqual(far)
  })
  it('refuses damaged bytes', () => {
    const good = encodeRuns(Uint32Array.of(300, 2, 0, 5))
    for (let end = 0; end < good.length; end++) {
      expect(codeOf(() => decodeRuns(good.subarray(0, end)))).toBe('bad-request')
    }
    expect(codeOf(() => decodeRuns(bytes(...good, 0)))).toBe('bad-request')
    expect(codeOf(() => decodeRuns(bytes(2, 0)))).toBe('bad-request')
    expect(codeOf(() => decodeRuns(bytes(1, 255, 255, 255, 255, 15, 0, 1, 0, 1)))).toBe('bad-request')
    expect(codeOf(() => decodeRuns(bytes(1, 1, 255, 255, 255, 255, 255, 1, 1, 0, 1)))).toBe('bad-request')
  })
  it('refuses to encode runs that overlap or labels over a byte', () => {
    expect(codeOf(() => encodeRuns(Uint32Array.of(5, 2, 0, 1, 6, 1, 0, 1)))).toBe('bad-request')
    expect(codeOf(() => encodeRuns(Uint32Array.of(5, 2, 0, 256)))).toBe('bad-request')
  })
})

describe('boxes of labels', () => {
  it('are written x fastest', () => {
    const box = { min: [1, 1, 0] as Dims, max: [3, 3, 2] as Dims }
    const labels = new Uint8Array(24)
    writeBox(labels, dims, box, bytes(1, 2, 3, 4, 5, 6, 7, 8))
    expect([...labels]).toEqual([0, 0, 0, 0, 0, 1, 2, 0, 0, 3, 4, 0, 0, 0, 0, 0, 0, 5, 6, 0, 0, 7, 8, 0])
  })
  it('extracts slices with the lower axis fastest', () => {
    expect([...extractSlice(counting(), dims, 2, 1)]).toEqual([12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23])
    expect([...extractSlice(counting(), dims, 1, 2)]).toEqual([8, 9, 10, 11, 20, 21, 22, 23])
    expect([...extractSlice(Float32Array.from(counting()), dims, 0, 3)]).toEqual([3, 7, 11, 15, 19, 23])
  })
  it('extracts interleaved channels', () => {
    const rgb = Uint8Array.from({ length: 12 }, (_, i) => i)
    expect([...extractSlice(rgb, [2, 2, 1], 0, 1, 3)]).toEqual([3, 4, 5, 9, 10, 11])
    expect([...extractSlice(rgb, [2, 2, 1], 2, 0, 3)]).toEqual([...rgb])
  })
  it('writes a slice where it was taken', () => {
    for (const axis of [0, 1, 2] as const) {
      const labels = new Uint8Array(24)
      writeSlice(labels, dims, axis, 1, extractSlice(counting(), dims, axis, 1))
      expect([...extractSlice(labels, dims, axis, 1)]).toEqual([...extractSlice(counting(), dims, axis, 1)])
      expect(extractSlice(labels, dims, axis, 0).every((value) => value === 0)).toBe(true)
    }
  })
})

describe('deltas', () => {
  // Voxels (1,1,0) (2,1,0) (1,2,0) | (2,1,1) (1,2,1) (2,2,1) of a 2 x 2 x 2 box: 0 becomes 9.
  const delta: LabelDelta = {
    box: { min: [1, 1, 0], max: [3, 3, 2] },
    runs: Uint32Array.of(0, 3, 0, 9, 5, 3, 0, 9),
  }
  const expected = [0, 0, 0, 0, 0, 9, 9, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 9, 9, 0]

  it('applies and takes back', () => {
    const labels = new Uint8Array(24)
    applyDelta(labels, dims, delta)
    expect([...labels]).toEqual(expected)
    applyDelta(labels, dims, { box: delta.box, runs: invertRuns(delta.runs) })
    expect(labels.every((value) => value === 0)).toBe(true)
  })
  it('changes nothing on a conflict', () => {
    const labels = new Uint8Array(24)
    labels[21] = 3
    const copy = labels.slice()
    expect(codeOf(() => applyDelta(labels, dims, delta))).toBe('conflict')
    expect(labels).toEqual(copy)
  })
  it('patches a cached slice of each axis and says where', () => {
    const whole = Uint8Array.from(expected)
    for (const axis of [0, 1, 2] as const) {
      for (let index = 0; index < dims[axis]; index++) {
        const slice = extractSlice(new Uint8Array(24), dims, axis, index)
        applyDeltaToSlice(slice, dims, axis, index, delta)
        expect([...slice]).toEqual([...extractSlice(whole, dims, axis, index)])
      }
    }
    const slice = new Uint8Array(12)
    expect(applyDeltaToSlice(slice, dims, 2, 0, delta)).toEqual({ x: 1, y: 1, width: 2, height: 2 })
    expect(applyDeltaToSlice(new Uint8Array(6), dims, 0, 1, delta)).toEqual({ x: 1, y: 0, width: 2, height: 2 })
    expect(applyDeltaToSlice(new Uint8Array(8), dims, 1, 0, delta)).toBeNull()
  })
  it('marks what it changes of any box', () => {
    const changed = Uint8Array.from(expected, (label) => Number(label > 0))
    for (const axis of [0, 1, 2] as const) {
      for (let index = 0; index < dims[axis]; index++) {
        const box = boxOfSlice(dims, axis, index)
        const marks = new Uint8Array(boxVolume(box))
        markDelta(marks, box, delta, 1)
        expect([...marks]).toEqual([...extractSlice(changed, dims, axis, index)])
        markDelta(marks, box, delta, 0)
        expect(marks.includes(1)).toBe(false)
      }
    }
  })
  it('agrees between a rectangle of a slice and its box', () => {
    const slice = new Uint8Array(8)
    const rect = { x: 1, y: 0, width: 3, height: 2 }
    const after = bytes(1, 0, 2, 0, 2, 2)
    const runs = deltaRuns(readRect(slice, 4, rect), after)
    const labels = new Uint8Array(24)
    applyDelta(labels, dims, { box: boxOfSliceRect(1, 1, rect), runs })
    expect([...extractSlice(labels, dims, 1, 1)]).toEqual([0, 1, 0, 2, 0, 0, 2, 2])
  })
  it('validates', () => {
    const check = (runs: number[], box = delta.box): string =>
      codeOf(() => validateDelta({ box, runs: Uint32Array.from(runs) }, dims))
    expect(check([0, 3, 0, 9, 5, 3, 0, 9])).toBe('none')
    expect(check([])).toBe('none')
    expect(check([0, 3, 0])).toBe('bad-request')
    expect(check([5, 1, 0, 9, 0, 1, 0, 9])).toBe('bad-request')
    expect(check([5, 4, 0, 9])).toBe('bad-request')
    expect(check([0, 0, 0, 9])).toBe('bad-request')
    expect(check([0, 1, 9, 9])).toBe('bad-request')
    expect(check([0, 1, 0, 256])).toBe('bad-request')
    expect(check([0, 4294967295, 0, 1])).toBe('bad-request')
    expect(check([], { min: [0, 0, 0], max: [5, 3, 2] })).toBe('bad-request')
    expect(check([], { min: [1, 0, 0], max: [1, 3, 2] })).toBe('bad-request')
  })
})

describe('label colours', () => {
  it('gives the palette out in order and fills gaps', () => {
    expect(nextLabelColor([])).toBe(labelPalette[0])
    const used = labelPalette.filter((_, i) => i !== 2).map((color) => ({ color }))
    expect(nextLabelColor(used)).toBe(labelPalette[2])
  })
  it('never repeats a colour, far beyond the palette', () => {
    const labels: { color: string }[] = []
    for (let i = 0; i < 60; i++) labels.push({ color: nextLabelColor(labels) })
    expect(new Set(labels.map((label) => label.color)).size).toBe(60)
    expect(labels.every((label) => /^#[0-9a-f]{6}$/.test(label.color))).toBe(true)
  })
})
