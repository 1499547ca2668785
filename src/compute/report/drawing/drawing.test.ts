import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { decodePng, renderSvg } from '../../../imaging/index.ts'
import { newCanvas } from './canvas.ts'
import { chartSvg } from './chart.ts'
import { coloursOf, drawContour, fillLabels, oneColour } from './labels.ts'
import { scaled, scaledLabels, shownSize } from './scale.ts'
import { canvasPng, sheetOf } from './sheet.ts'
import { slicePicture } from './slicePicture.ts'
import { drawText, fitted, textStrokes, textWidth } from './text.ts'
import type { Canvas } from './canvas.ts'

const STYLE = { thickness: 1, dash: 0, halo: false }

/** Red of each pixel, a row a string, '#' where it is more than half. */
function rows({ width, height, data }: Canvas): string[] {
  return Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (__, x) => ((data[(y * width + x) * 3] ?? 0) > 127 ? '#' : '.')).join(''),
  )
}

function grey(values: readonly number[], width: number): Canvas {
  return {
    width,
    height: values.length / width,
    data: Uint8Array.from(values.flatMap((value) => [value, value, value])),
  }
}

describe('drawContour', () => {
  const square = Uint8Array.from([
    0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0,
  ])

  it('draws the outermost pixels of a label, inside of it', () => {
    const canvas = newCanvas(6, 5)
    drawContour(canvas, square, oneColour([255, 255, 255]), STYLE)
    expect(rows(canvas)).toEqual(['......', '.####.', '.#..#.', '.####.', '......'])
  })

  it('does not draw along the edge of the picture, where a label is cut off', () => {
    const canvas = newCanvas(4, 3)
    drawContour(canvas, Uint8Array.from([1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0]), oneColour([255, 255, 255]), STYLE)
    expect(rows(canvas)).toEqual(['..#.', '..#.', '..#.'])
  })

  it('draws the border between two objects once, in the one of the higher number', () => {
    const canvas = newCanvas(6, 1)
    drawContour(
      canvas,
      Uint32Array.from([70_001, 70_001, 70_001, 70_002, 70_002, 70_002]),
      oneColour([255, 0, 0]),
      STYLE,
    )
    expect(rows(canvas)).toEqual(['...#..'])
  })

  it('is as thick as asked for, and darkens around where a halo is wanted', () => {
    const labels = Uint8Array.from({ length: 81 }, (_, at) => (at % 9 > 0 && at % 9 < 8 && at > 8 && at < 72 ? 1 : 0))
    const canvas = newCanvas(9, 9, [100, 100, 100])
    drawContour(canvas, labels, oneColour([255, 255, 255]), { thickness: 2, dash: 0, halo: true })
    expect(rows(canvas)[4]).toBe('.##...##.')
    expect(canvas.data[4 * 27]).toBe(55)
    // The halo lies on both sides of the line.
    expect(canvas.data[(4 * 9 + 3) * 3]).toBe(55)
    expect(canvas.data[(4 * 9 + 4) * 3]).toBe(100)
  })

  it('leaves out labels without a colour, and 255 which means not known', () => {
    const canvas = newCanvas(3, 1)
    fillLabels(canvas, Uint8Array.from([1, 255, 2]), coloursOf([2]), 1)
    expect([...canvas.data]).toEqual([0, 0, 0, 0, 0, 0, 255, 214, 10])
  })
})

describe('scaled', () => {
  it('takes means where a picture becomes smaller', () => {
    const small = scaled(grey([0, 100, 50, 50, 200, 100, 10, 30], 4), { width: 2, height: 1 })
    // (0 + 100 + 200 + 100) / 4 and (50 + 50 + 10 + 30) / 4
    expect([small.data[0], small.data[3]]).toEqual([100, 35])
  })

  it('weighs pixels that are covered in part', () => {
    const small = scaled(grey([90, 30, 60], 3), { width: 2, height: 1 })
    // (90 + 30 / 2) / 1.5 and (30 / 2 + 60) / 1.5
    expect([small.data[0], small.data[3]]).toEqual([70, 50])
  })

  it('is linear between pixel centres where it becomes larger', () => {
    const large = scaled(grey([0, 100], 2), { width: 4, height: 1 })
    expect([0, 3, 6, 9].map((at) => large.data[at])).toEqual([0, 25, 75, 100])
  })

  it('takes labels at the centres, and knows numbers above 255', () => {
    const large = scaledLabels(Uint32Array.from([1, 70_000]), { width: 2, height: 1 }, { width: 4, height: 2 })
    expect([...large]).toEqual([1, 1, 70_000, 70_000, 1, 1, 70_000, 70_000])
    const small = scaledLabels(Uint8Array.from([1, 2, 3]), { width: 3, height: 1 }, { width: 1, height: 1 })
    expect([...small]).toEqual([2])
  })

  it('enlarges by whole numbers and keeps the ratio of sides', () => {
    expect(shownSize({ width: 35, height: 50 }, 384)).toEqual({ width: 245, height: 350 })
    expect(shownSize({ width: 1024, height: 512 }, 384)).toEqual({ width: 384, height: 192 })
    // Rows three times as far apart as columns.
    expect(shownSize({ width: 60, height: 20 }, 130, { width: 1, height: 3 })).toEqual({ width: 120, height: 120 })
    expect(shownSize({ width: 5000, height: 1 }, 100)).toEqual({ width: 100, height: 1 })
  })
})

describe('text', () => {
  it('is as wide as its letters and the space between them', () => {
    // Two glyphs of 8 units and 3.4 between, capitals of 14 units.
    expect(textWidth('00', 14)).toBeCloseTo(19.4)
    expect(textWidth('', 14)).toBe(0)
  })

  it('is drawn between the top of its capitals and the baseline', () => {
    const canvas = newCanvas(40, 40)
    drawText(canvas, 'H', { x: 10, y: 30, height: 20, colour: [255, 255, 255] })
    const inked = rows(canvas).flatMap((row, y) => (row.includes('#') ? [y] : []))
    expect([inked[0], inked.at(-1)]).toEqual([9, 30])
    expect(rows(canvas)[20]).toMatch(/^\.{9}#{13,20}\.+$/)
  })

  it('has a shape for every printable ASCII character and a box for what it does not know', () => {
    const ascii = Array.from({ length: 94 }, (_, at) => String.fromCharCode(33 + at))
    const shapes = ascii.map((character) => JSON.stringify(textStrokes(character, 0, 14, 14)))
    const box = JSON.stringify(textStrokes('\u8c46', 0, 14, 14))
    expect(shapes.filter((shape) => shape === '[]' || shape === box)).toEqual([])
    expect(JSON.stringify(textStrokes('e\u0301', 0, 14, 14))).toBe(JSON.stringify(textStrokes('e', 0, 14, 14)))
  })

  it('is shortened to fit', () => {
    expect(fitted('abcdefghij', 10, 1000)).toBe('abcdefghij')
    expect(fitted('abcdefghij', 10, 40)).toMatch(/^abcd?e?\u2026$/)
    expect(textWidth(fitted('abcdefghij', 10, 40), 10)).toBeLessThanOrEqual(40)
  })
})

describe('sheetOf', () => {
  it('lays pictures out in columns as wide as the widest', async () => {
    const [wide, narrow] = [newCanvas(20, 10, [255, 255, 255]), newCanvas(8, 4, [255, 255, 255])]
    const sheet = sheetOf([{ picture: wide }, { picture: narrow }, { picture: narrow }], 2)
    // Gaps of 6: 6 + 20 + 6 + 8 + 6, and 6 + 10 + 6 + 4 + 6.
    expect([sheet.width, sheet.height]).toEqual([46, 32])
    expect(rows(sheet)[6]).toBe(`${'.'.repeat(6)}${'#'.repeat(20)}${'.'.repeat(6)}${'#'.repeat(8)}${'.'.repeat(6)}`)
    expect(rows(sheet)[22]).toBe(`${'.'.repeat(6)}${'#'.repeat(8)}${'.'.repeat(32)}`)
    const back = await decodePng(await canvasPng(sheet), 'sheet.png')
    expect(back.data).toEqual(sheet.data)
  })
})

describe('slicePicture', () => {
  it('makes one channel grey and three colours, between the percentiles', () => {
    const one = slicePicture({ width: 2, height: 1, channels: 1, image: Float32Array.from([-1, 3]) })
    expect([...one.data]).toEqual([0, 0, 0, 255, 255, 255])
    const three = slicePicture({ width: 1, height: 1, channels: 3, image: Float32Array.from([0, 1, 2]) })
    expect([...three.data]).toEqual([0, 128, 255])
    const standardize = { mean: [1, 3, 5], deviation: [2, 2, 2] }
    const same = slicePicture({ width: 1, height: 1, channels: 3, image: Float32Array.of(0, -0.5, -1), standardize })
    expect([...same.data], 'the colours of the image').toEqual([0, 128, 255])
    const flat = slicePicture({ width: 1, height: 1, channels: 1, image: Float32Array.from([NaN]) })
    expect([...flat.data]).toEqual([0, 0, 0])
  })
})

describe('chartSvg', () => {
  const chart = {
    title: 'Loss <of> "a & b"',
    xLabel: 'Epoch',
    series: [
      {
        name: 'Training',
        points: [
          [1, 2],
          [2, 1],
          [3, 0.5],
        ] as [number, number][],
      },
      { name: 'Validation', points: [[3, 1]] as [number, number][] },
    ],
    bounds: [0, 2] as const,
    mark: { x: 3, text: 'kept: epoch 3' },
  }

  it('has no letters that need a font, and escapes what it says of itself', () => {
    const svg = chartSvg(chart, true)
    expect(svg).not.toMatch(/<text|font/)
    expect(svg).toContain('aria-label="Loss &lt;of&gt; &quot;a &amp; b&quot;: Training, Validation"')
    expect(svg).toContain('prefers-color-scheme:dark')
    expect(chartSvg(chart, false)).not.toContain('<style')
  })

  it('puts points where their numbers are', () => {
    // The plot: x 56 to 624 for epochs 1 to 3, y 276 to 62 for 0 to 2.
    expect(chartSvg(chart, false)).toContain('d="M56 62L340 169L624 222.5"')
  })

  it('shows a single epoch, equal values and values that are no numbers', () => {
    const points = [[1, 0.5]] as [number, number][]
    for (const bounds of [null, [0, 1] as const]) {
      const svg = chartSvg({ ...chart, bounds, mark: null, series: [{ name: 'A', points }] }, false)
      expect(svg).not.toMatch(/NaN|Infinity/)
    }
  })

  it('is drawn alike where no font is installed', async () => {
    const svg = chartSvg(chart, true)
    const here = await renderSvg(svg, 1)
    const script = `
      import { renderSvg } from ${JSON.stringify(new URL('../../../imaging/raster/figures.ts', import.meta.url).href)}
      process.stdout.write(await renderSvg(process.argv[1], 1))`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, svg], {
      cwd: fileURLToPath(new URL('../../../..', import.meta.url)),
      env: { ...process.env, FONTCONFIG_FILE: '/dev/null', FONTCONFIG_PATH: '/nowhere', HOME: '/nowhere' },
      encoding: 'buffer',
    })
    expect(here.equals(stdout)).toBe(true)
    const { data } = await decodePng(here, 'chart.png')
    // Letters of the title: dark pixels above the plot.
    expect([...data.subarray(640 * 3 * 10, 640 * 3 * 24)].some((value) => value < 90)).toBe(true)
  })
})
