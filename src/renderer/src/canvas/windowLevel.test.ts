import { describe, it, expect } from 'vitest'
import { sliceLayout } from './layout.ts'
import { intensityAt, toImageSlice, type ImageSlice } from './samples.ts'
import { createToneMap, renderImageRect } from './windowLevel.ts'
import { planeView } from './testing/views.ts'

const whole = { x0: 0, y0: 0, x1: 3, y1: 2 }

function rendered(slice: ImageSlice, window: { center: number; width: number }, rect = whole): number[][] {
  const out = new Uint32Array((rect.x1 - rect.x0) * (rect.y1 - rect.y0))
  renderImageRect(slice, sliceLayout(planeView()), createToneMap(slice, window), rect, out)
  return [...out].map((word) => [word & 255, (word >>> 8) & 255, (word >>> 16) & 255, word >>> 24])
}

function greys(slice: ImageSlice, window: { center: number; width: number }, rect = whole): number[] {
  return rendered(slice, window, rect).map(([red, green, blue, alpha]) => {
    expect([green, blue, alpha]).toEqual([red, red, 255])
    return red ?? -1
  })
}

function wire(samples: Int16Array<ArrayBuffer> | Float32Array<ArrayBuffer>) {
  return new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength)
}

describe('window and level', () => {
  it('maps the window of a CT through slope and intercept', () => {
    const slice = toImageSlice({
      width: 3,
      height: 2,
      channels: 1,
      voxelType: 'int16',
      data: wire(Int16Array.of(0, 944, 1064, 1184, 3000, -32768)),
      slope: 1,
      inter: -1024,
    })
    // HU -1024, -80, 40, 160, 1976, … in the window 40 +- 120: black at -80, mid grey at 40, white at 160.
    expect(greys(slice, { center: 40, width: 240 })).toEqual([0, 0, 128, 255, 255, 0])
  })

  it('draws only the rectangle asked for', () => {
    const slice = toImageSlice({
      width: 3,
      height: 2,
      channels: 1,
      voxelType: 'uint8',
      data: Uint8Array.of(0, 51, 102, 153, 204, 255),
      slope: 1,
      inter: 0,
    })
    expect(greys(slice, { center: 127.5, width: 255 }, { x0: 1, y0: 0, x1: 3, y1: 2 })).toEqual([51, 102, 204, 255])
  })

  it('computes floats directly, and shows what is not a number as black', () => {
    const slice = toImageSlice({
      width: 3,
      height: 2,
      channels: 1,
      voxelType: 'float32',
      data: wire(Float32Array.of(-1, 0, 0.25, 0.5, 1, NaN)),
      slope: 2,
      inter: 0,
    })
    expect(greys(slice, { center: 1, width: 2 })).toEqual([0, 0, 64, 128, 255, 0])
  })

  it('keeps colours', () => {
    const slice = toImageSlice({
      width: 3,
      height: 2,
      channels: 3,
      voxelType: 'uint8',
      data: Uint8Array.from({ length: 18 }, (_, at) => at * 10),
      slope: 1,
      inter: 0,
    })
    expect(rendered(slice, { center: 127.5, width: 255 })[1]).toEqual([30, 40, 50, 255])
    expect(intensityAt(slice, 1)).toEqual([30, 40, 50])
  })
})

describe('toImageSlice', () => {
  it('reads bytes that are not aligned', () => {
    const message = new Uint8Array(1 + 12)
    message.set(wire(Int16Array.of(-5, 300, 0, 0, 0, 7)), 1)
    const slice = toImageSlice({
      width: 3,
      height: 2,
      channels: 1,
      voxelType: 'int16',
      data: message.subarray(1),
      slope: 0.5,
      inter: 1,
    })
    expect([...slice.samples]).toEqual([-5, 300, 0, 0, 0, 7])
    expect(intensityAt(slice, 0)).toEqual([-1.5])
    expect(intensityAt(slice, 99)).toEqual([NaN])
  })

  it('refuses a slice with missing bytes', () => {
    const short = { width: 3, height: 2, channels: 1, voxelType: 'int16', slope: 1, inter: 0 } as const
    expect(() => toImageSlice({ ...short, data: new Uint8Array(11) })).toThrow(RangeError)
  })
})
