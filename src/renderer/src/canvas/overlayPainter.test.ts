import { describe, it, expect } from 'vitest'
import { sliceLayout } from './layout.ts'
import { OverlayPainter, type OverlayLabels, type OverlayStyle } from './overlayPainter.ts'
import { createLineColors, createPalette, createUncertaintyPalette } from './palette.ts'
import { planeView } from './testing/views.ts'
import type { TileSurface } from './tileGrid.ts'

const labels = [{ value: 1, color: '#ff0000', visible: true }]
const style: OverlayStyle = {
  mode: 'fill',
  maskVisible: true,
  predictionVisible: true,
  maskPalette: createPalette(labels, 0.5),
  predictionPalette: createPalette(labels, 0.25),
  lineColors: createLineColors(labels),
  lineAlpha: 1,
  uncertaintyPalette: null,
}
const layout = sliceLayout(planeView({ width: 8, height: 8 }))
const viewport = { offsetX: 0, offsetY: 0, scaleX: 10, scaleY: 10 }
const screen = { x0: 0, y0: 0, x1: 80, y1: 80 }

/** A square of label 1 with corners at voxels (x, y) and (x + 2, y + 2). */
function square(x: number, y: number): Uint8Array {
  const slice = new Uint8Array(64)
  for (let j = y; j < y + 3; j++) slice.fill(1, j * 8 + x, j * 8 + x + 3)
  return slice
}

function drawn(given: OverlayLabels, change: Partial<OverlayStyle> = {}, paint?: (painter: OverlayPainter) => void) {
  const painter = new OverlayPainter(layout, given, { ...style, ...change }, (): TileSurface => {
    const pixels = new Map<number, number>()
    return {
      source: pixels as unknown as CanvasImageSource,
      put: (words, width, height, x, y) => {
        for (let k = 0; k < width * height; k++) {
          pixels.set((y + Math.floor(k / width)) * 8 + x + (k % width), words[k] ?? 0)
        }
      },
    }
  })
  const context = () => {
    const images: Map<number, number>[] = []
    const lines: { color: string; length: number }[] = []
    let from = { x: 0, y: 0 }
    let length = 0
    const fake = {
      strokeStyle: '',
      drawImage: (source: Map<number, number>) => void images.push(new Map(source)),
      beginPath: () => (length = 0),
      moveTo: (x: number, y: number) => (from = { x, y }),
      lineTo: (x: number, y: number) => (length += Math.abs(x - from.x) + Math.abs(y - from.y)),
      stroke() {
        lines.push({ color: this.strokeStyle, length })
      },
    }
    return { images, lines, fake: fake as unknown as CanvasRenderingContext2D }
  }
  if (paint) {
    painter.draw(context().fake, viewport, 1, screen)
    paint(painter)
  }
  const last = context()
  painter.draw(last.fake, viewport, 1, screen)
  const filled = last.images.map((pixels) => [...pixels.values()].filter((word) => word !== 0))
  const colored = last.lines.filter(({ color }) => color === '#ff0000').map(({ length }) => length)
  return { filled, colored }
}

describe('OverlayPainter', () => {
  it('fills the mask, and the prediction paler and dashed', () => {
    const { filled, colored } = drawn({
      mask: new Uint8Array(64),
      prediction: square(1, 1),
      settled: false,
      uncertainty: null,
    })
    // Alpha 0.25 * 255 = 64.
    expect(filled).toEqual([new Array(9).fill(0x400000ff)])
    // 120 pixels around, 7 on and 4 off: ten dashes of 7 and a last one of 7.
    expect(colored).toEqual([77])
  })

  it('draws no prediction where the mask agrees with it', () => {
    const { filled, colored } = drawn({
      mask: square(1, 1),
      prediction: square(1, 1),
      settled: false,
      uncertainty: null,
    })
    expect(filled).toEqual([new Array(9).fill(0x800000ff)])
    expect(colored).toEqual([0])
  })

  it('shows on a settled slice only the line of what the model would change', () => {
    const { filled, colored } = drawn({
      mask: square(1, 1),
      prediction: square(2, 1),
      settled: true,
      uncertainty: null,
    })
    expect(filled).toEqual([new Array(9).fill(0x800000ff)])
    expect(colored[0]).toBeGreaterThan(0)
    expect(colored[0]).toBeLessThan(77)
  })

  it('outlines the mask with solid lines in contour mode', () => {
    const mode = { mode: 'contour' } as const
    const { filled, colored } = drawn({ mask: square(1, 1), prediction: null, settled: false, uncertainty: null }, mode)
    expect(filled).toEqual([])
    expect(colored).toEqual([120])
    const hidden = drawn(
      { mask: square(1, 1), prediction: null, settled: false, uncertainty: null },
      { ...mode, maskVisible: false },
    )
    expect(hidden.colored).toEqual([])
  })

  it('follows strokes: fill, contour and what is left of the prediction', () => {
    const mask = new Uint8Array(64)
    const given = { mask, prediction: square(1, 1), settled: false, uncertainty: null }
    const paint = (painter: OverlayPainter) => {
      mask.set(square(1, 1))
      painter.invalidate({ x0: 1, y0: 1, x1: 4, y1: 4 })
    }
    const after = drawn(given, {}, paint)
    expect(after.filled.map((pixels) => new Set(pixels))).toEqual([new Set([0x800000ff]), new Set()])
    expect(after.colored).toEqual([0])
    mask.fill(0)
    expect(drawn(given, { mode: 'contour', predictionVisible: false }, paint).colored).toEqual([120])
  })

  it('lays what is unsure under the mask, nothing where it is sure, and only when it is asked for', () => {
    const uncertainty = new Uint8Array(64)
    uncertainty[9] = 255
    uncertainty[10] = 51
    const given = { mask: square(1, 1), prediction: null, settled: true, uncertainty }
    const { filled } = drawn(given, { uncertaintyPalette: createUncertaintyPalette(0.5) })
    // 51 is a fifth: two thirds of the opacity that three tenths have, six tenths of the way from the first to the second colour.
    const fifth = [Math.round(31 + 59 * 0.6), Math.round(128 + 40 * 0.6), 0, 85]
    const word = ([r = 0, g = 0, b = 0, a = 0]: number[]) => ((a << 24) | (b << 16) | (g << 8) | r) >>> 0
    expect(filled).toEqual([[word([0xff, 0xf2, 0x00, 128]), word(fifth)], new Array(9).fill(0x800000ff)])
    expect(drawn(given).filled).toHaveLength(1)
    expect(
      drawn({ ...given, uncertainty: null }, { uncertaintyPalette: createUncertaintyPalette(1) }).filled,
    ).toHaveLength(1)
  })

  it('draws other uncertainty and another opacity when they come', () => {
    const given = { mask: new Uint8Array(64), prediction: null, settled: false, uncertainty: new Uint8Array(64) }
    const change = { uncertaintyPalette: createUncertaintyPalette(1) }
    const words = (paint: (painter: OverlayPainter) => void) => drawn(given, change, paint).filled.flat()
    const unsure = { ...given, uncertainty: new Uint8Array(64).fill(255, 0, 1) }
    expect(words(() => undefined)).toEqual([])
    expect(words((painter) => painter.setLabels(unsure))).toEqual([0xff00f2ff])
    const paler = { ...style, uncertaintyPalette: createUncertaintyPalette(0.5) }
    expect(
      words((painter) => {
        painter.setLabels(unsure)
        painter.setStyle(paler)
      }),
    ).toEqual([0x8000f2ff])
  })
})
