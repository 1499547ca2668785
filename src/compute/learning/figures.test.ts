import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { decodePng, renderSvg } from '../../imaging/index.ts'
import { findPython, runPython } from '../../imaging/testing/peer.ts'
import { temporaryFolder } from '../../imaging/testing/folders.ts'
import { animateSlice } from './animate.ts'
import { drawChart } from './chart.ts'
import type { ComputeSlice } from '../../core/contract/compute.ts'

const peer = findPython(['PIL'])
const READ = `
import json, sys
from PIL import Image
image = Image.open(sys.argv[1])
frames = []
for n in range(image.n_frames):
    image.seek(n)
    frames.append(image.convert('RGB').tobytes().hex())
print(json.dumps({'size': image.size, 'frames': frames}))
`

/** Delays of the frames in milliseconds: each has a graphic control extension, 21 F9 04, flags, delay in 1/100 s. */
function delaysOf(gif: Uint8Array): number[] {
  const delays: number[] = []
  for (let i = 0; i + 7 < gif.length; i++) {
    if (gif[i] !== 0x21 || gif[i + 1] !== 0xf9 || gif[i + 2] !== 4 || gif[i + 7] !== 0) continue
    delays.push(10 * ((gif[i + 4] ?? 0) + 256 * (gif[i + 5] ?? 0)))
  }
  return delays
}

function sizeOf(gif: Uint8Array): number[] {
  return [6, 8].map((at) => (gif[at] ?? 0) + 256 * (gif[at + 1] ?? 0))
}

/** 20 x 10 pixels: dark on the left, bright on the right. */
const data = Uint8Array.from({ length: 200 }, (_, i) => (i % 20 < 10 ? 50 : 150))
const slice: ComputeSlice = {
  ...{ index: 0, width: 20, height: 10, channels: 1, voxelType: 'uint8', data },
  ...{ slope: 1, inter: 0, low: 50, high: 150 },
}
/** Label 3 in columns 4 to 15 of rows 2 to 7. */
const box = Uint8Array.from({ length: 200 }, (_, i) => {
  const [x, y] = [i % 20, Math.floor(i / 20)]
  return x >= 4 && x < 16 && y >= 2 && y < 8 ? 3 : 0
})
const colors = [{ label: 3, color: '#ff0000' }]

describe('an animation of versions', () => {
  it('has a frame of each, enlarged by whole pixels, the last one longer', async () => {
    const frames = [box, new Uint8Array(200)].map((labels, i) => ({ labels, words: `version ${i + 1} · in use` }))
    const gif = await animateSlice({ slice, frames, colors })
    expect(Buffer.from(gif.subarray(0, 6)).toString('latin1')).toBe('GIF89a')
    // 480 / 20 is 24 times; 30 pixels for words.
    expect(sizeOf(gif)).toEqual([480, 270])
    expect(delaysOf(gif)).toEqual([800, 2500])
    const many = Array.from({ length: 25 }, (_, i) => ({ labels: box, words: String(i) }))
    expect(delaysOf(await animateSlice({ slice, frames: many, colors })).slice(-2)).toEqual([300, 2500])
  })

  it('stands in the middle where it is narrow, and is as wide as its pixels', async () => {
    const narrow = { ...slice, width: 10, height: 20 }
    const labels = new Uint8Array(200)
    const frames = [{ labels, words: '' }]
    expect(sizeOf(await animateSlice({ slice: narrow, frames, colors }))).toEqual([240, 510])
    const geometry = { plane: 'axial', columns: 1, rows: 3, slices: 1 } as const
    // 20 x 30 in the ratio of its pixels: 16 times, since 480 / 30.
    expect(sizeOf(await animateSlice({ slice, geometry, frames, colors }))).toEqual([320, 510])
  })

  it('refuses labels of another size', async () => {
    const frames = [{ labels: new Uint8Array(199), words: '' }]
    await expect(animateSlice({ slice, frames, colors })).rejects.toMatchObject({ code: 'bad-request' })
  })

  it.skipIf(!peer.available)(`shows the slice, its contours and its words ${peer.reason}`, async () => {
    const frames = [box, new Uint8Array(200)].map((labels) => ({ labels, words: 'version 1' }))
    const gif = await animateSlice({ slice, frames, colors })
    const folder = await temporaryFolder()
    try {
      const path = join(folder.path, 'a.gif')
      await writeFile(path, gif)
      const read = runPython(peer, READ, [path]) as { size: number[]; frames: string[] }
      const [first, second] = read.frames.map((hex) => Buffer.from(hex, 'hex'))
      const at = (frame: Buffer | undefined, x: number, y: number): number[] => {
        const from = (y * 480 + x) * 3
        return [...(frame?.subarray(from, from + 3) ?? [])]
      }
      // Left of the label dark, right of it bright; `low` is black and `high` white.
      expect(at(first, 10, 10)).toEqual([0, 0, 0])
      expect(at(first, 470, 10)).toEqual([255, 255, 255])
      // Column 4 begins at 96, row 2 at 48: red on its edge, the picture inside.
      expect(at(first, 96, 120)).toEqual([255, 0, 0])
      expect(at(first, 200, 48)).toEqual([255, 0, 0])
      expect(at(first, 120, 120)).toEqual([0, 0, 0])
      expect(at(second, 96, 120)).toEqual([0, 0, 0])
      // Bright letters on dark paper below the picture.
      const strip = [...(first ?? Buffer.alloc(0)).subarray(480 * 240 * 3)]
      expect(strip.filter((value) => value > 150).length).toBeGreaterThan(60)
      expect(strip.filter((value) => value < 30).length).toBeGreaterThan(480 * 60)
    } finally {
      await folder.remove()
    }
  })
})

describe('a chart of versions', () => {
  const order = {
    title: 'Dice',
    x: 'seconds of training',
    y: 'Dice',
    series: [
      { name: 'hold-out', points: [{ x: 1.5, y: 0.9 }, { x: 0.5, y: 0.5 }] }, // prettier-ignore
      { name: 'empty', points: [] },
    ],
  }

  it('puts points where their numbers are, in the order of x', () => {
    const svg = drawChart(order)
    // The plot is x 56 to 624 and y 276 to 62; the values' range in whole ticks is 0.5 to 0.9.
    expect(svg).toContain('d="M56 276L624 62"')
    expect(svg).toContain('aria-label="Dice: hold-out"')
    expect(svg).not.toMatch(/NaN|Infinity|<text/)
  })

  it('has ticks between whole numbers, a name at the y axis, and stays readable with many series', async () => {
    const ticks = (svg: string): number => svg.split('276L').length
    const short = drawChart({ ...order, series: [{ name: 'a', points: [{ x: 0.1, y: 1 }, { x: 0.4, y: 2 }] }] }) // prettier-ignore
    // Each tick is a line down from the axis at 276: 0.1, 0.15, 0.2 … 0.4.
    expect(ticks(short)).toBeGreaterThan(5)
    const picture = async (svg: string) => (await decodePng(await renderSvg(svg, 1), 'chart.png')).data
    // Left of the plot above it, and right of it in the row of the legend; the picture is 640 pixels wide.
    const ink = (
      pixels: ArrayLike<number>,
      [x0, x1]: readonly [number, number],
      [y0, y1]: readonly [number, number],
    ) => {
      let dark = 0
      for (let y = y0; y < y1; y++) for (let x = x0; x < x1; x++) if ((pixels[(y * 640 + x) * 3] ?? 255) < 160) dark++
      return dark
    }
    expect(ink(await picture(short), [0, 50], [44, 58])).toBeGreaterThan(10)
    const points = [{ x: 0, y: 0 }, { x: 1, y: 1 }] // prettier-ignore
    const series = Array.from({ length: 5 }, (_, i) => ({ name: `hold-out number ${i}, a long name`, points }))
    const many = await picture(drawChart({ ...order, series }))
    expect(ink(many, [626, 640], [30, 50])).toBe(0)
    expect(ink(many, [520, 624], [30, 50])).toBeGreaterThan(10)
  })

  it('has no ticks between numbers of slices, and a dot for each version', () => {
    const points = [1, 2, 3].map((x) => ({ x, y: x / 4 }))
    const svg = drawChart({ ...order, series: [{ name: 'a', points }] })
    // Lines down from the axis at 276, at 1, 2 and 3 alone; the upright of the letters hangs on none.
    for (const at of [56, 340, 624]) expect(svg).toContain(`d="M${at} 276L${at} 280"`)
    expect(svg.match(/ 276L[\d.]+ 280"/g)).toHaveLength(3)
    const dots = / stroke-width="5" d="([^"]*)"/.exec(svg)?.[1] ?? ''
    expect(
      dots
        .split('M')
        .slice(1)
        .map((each) => Number.parseFloat(each)),
    ).toEqual([56, 340, 624])
  })

  it('without any point is an empty chart', () => {
    expect(drawChart({ ...order, series: [{ name: 'a', points: [] }] })).not.toMatch(/NaN|Infinity/)
  })
})
