import { describe, expect, it } from 'vitest'
import type { ImageSlice } from '../samples.ts'
import type { TileSurface } from '../tileGrid.ts'
import { tileName, tileRect, tileSize, type Pyramid, type TileKey } from './pyramid.ts'
import { drawSlide, type SlideTarget } from './slidePainter.ts'
import { SlideTiles } from './slideTiles.ts'

const TILE = 64
/** 1024 x 768 in halves down to one tile. */
const pyramid: Pyramid = {
  tileWidth: TILE,
  tileHeight: TILE,
  levels: [0, 1, 2, 3, 4].map((level) => ({ width: 1024 >> level, height: 768 >> level })),
}
const settle = () => new Promise((resolve) => setTimeout(resolve, 0))

interface Paint {
  readonly words: Uint32Array
  released: boolean
}

/** Tiles whose grey value is 10 times their level, plus one at odd columns; a backend that can be held and can fail. */
function slide(
  options: { budgetBytes?: number; damaged?: readonly string[]; hold?: boolean; voxelType?: 'uint16' } = {},
) {
  const asked: string[] = []
  const surfaces: Paint[] = []
  const waiting: (() => void)[] = []
  let aborted = 0
  const load = async (key: TileKey, signal: AbortSignal): Promise<ImageSlice> => {
    asked.push(tileName(key))
    signal.addEventListener('abort', () => aborted++)
    if (options.hold === true) await new Promise<void>((go) => waiting.push(go))
    if (signal.aborted) throw new Error('cancelled')
    if (options.damaged?.includes(tileName(key))) throw new Error('damaged')
    const { width, height } = tileSize(pyramid, key)
    const value = key.level * 10 + (key.column % 2)
    const samples = options.voxelType === 'uint16' ? new Uint16Array(width * height) : new Uint8Array(width * height)
    return {
      width,
      height,
      channels: 1,
      voxelType: options.voxelType ?? 'uint8',
      samples: samples.fill(value),
      slope: 1,
      inter: 0,
    }
  }
  const tiles = new SlideTiles({
    pyramid,
    load,
    window: { center: 127.5, width: 255 },
    createSurface: (width, height): TileSurface => {
      const paint: Paint = { words: new Uint32Array(width * height), released: false }
      surfaces.push(paint)
      return {
        source: paint as unknown as CanvasImageSource,
        put: (words) => {
          paint.words.set(words.subarray(0, width * height))
        },
        release: () => (paint.released = true),
      }
    },
    passes: () => false,
    onChange: () => undefined,
    ...(options.budgetBytes === undefined ? {} : { budgetBytes: options.budgetBytes }),
  })
  const release = async () => {
    for (const go of waiting.splice(0)) go()
    await settle()
  }
  return { tiles, asked, surfaces, release, aborted: () => aborted }
}

/** Enough turns for a few at a time to bring them all. */
async function arrive() {
  for (let turn = 0; turn < 30; turn++) await settle()
}

/** A canvas of device pixels that keeps the grey value drawn last at each of them; -1 where nothing was drawn. */
function target(width: number, height: number) {
  const grey = new Int16Array(width * height).fill(-1)
  let marks = 0
  const context = {
    drawImage(source: unknown, x: number, y: number, w: number, h: number) {
      const value = ((source as Paint).words[0] ?? 0) & 255
      for (let j = Math.max(0, y); j < Math.min(height, y + h); j++) {
        for (let i = Math.max(0, x); i < Math.min(width, x + w); i++) grey[j * width + i] = value
      }
    },
    strokeRect: () => marks++,
  }
  const rest = new Proxy(context, {
    get: (of, name) => (name in of ? (Reflect.get(of, name) as unknown) : () => undefined),
    set: () => true,
  })
  return { context: rest as unknown as SlideTarget, grey, marks: () => marks }
}

/** All of the slide at half its size: level 1 is wanted. */
const half = {
  viewport: { offsetX: 0, offsetY: 0, scaleX: 0.5, scaleY: 0.5 },
  pixelRatio: 1,
  clip: { x0: 0, y0: 0, x1: 512, y1: 384 },
  level: 1,
  interpolate: false,
}
const everything = { x0: 0, y0: 0, x1: 1024, y1: 768 }

describe('SlideTiles', () => {
  it('asks for the whole slide first, then for the screen from its middle', async () => {
    const { tiles, asked } = slide()
    tiles.want({ x0: 0, y0: 0, x1: 192, y1: 192 }, 1)
    await arrive()
    expect(asked.slice(0, 2)).toEqual(['4/0/0', '0/1/1'])
    // Nine on screen, and one tile more to the right and below, which is not missed.
    expect(asked).toHaveLength(1 + 16)
    expect([tiles.level, tiles.missing]).toEqual([0, 0])
    expect(tiles.intensityAt({ x: 100, y: 10 })).toEqual({ values: [1], level: 0 })
    expect(tiles.intensityAt({ x: 900, y: 700 })).toEqual({ values: [40], level: 4 })
  })

  it('cancels tiles that went out of view', async () => {
    const { tiles, asked, aborted, release } = slide({ hold: true })
    tiles.want({ x0: 0, y0: 0, x1: 64, y1: 64 }, 1)
    expect(asked).toHaveLength(5)
    tiles.want({ x0: 960, y0: 704, x1: 1024, y1: 768 }, 1)
    // All but the smallest level, which is wanted wherever one is.
    expect(aborted()).toBe(4)
    for (let turn = 0; turn < 4; turn++) await release()
    expect(tiles.missing).toBe(0)
    expect(tiles.has({ level: 0, column: 0, row: 0 })).toBe(false)
  })

  it('stays inside its budget while all of a slide is seen, and gives memory back at once', async () => {
    const perTile = TILE * TILE * 5
    const budgetBytes = 40 * perTile
    const { tiles, surfaces } = slide({ budgetBytes })
    const { context } = target(1, 1)
    for (let y = 0; y < 768; y += 192) {
      for (let x = 0; x < 1024; x += 160) {
        tiles.want({ x0: x, y0: y, x1: x + 160, y1: y + 192 }, 1)
        await arrive()
        drawSlide(context, tiles, { ...half, viewport: { offsetX: -x, offsetY: -y, scaleX: 1, scaleY: 1 }, level: 0 })
        expect(tiles.bytes).toBeLessThanOrEqual(budgetBytes)
      }
    }
    expect(tiles.has({ level: 4, column: 0, row: 0 })).toBe(true)
    const open = surfaces.filter(({ released }) => !released)
    expect(open.length).toBeLessThanOrEqual(40)
    expect(surfaces.length).toBeGreaterThan(100)
    tiles.dispose()
    expect(surfaces.every(({ released }) => released)).toBe(true)
  })
})

describe('a screen that holds more than the budget', () => {
  it('ends with what fits, and asks for nothing again and again', async () => {
    const { tiles, asked } = slide({ budgetBytes: 20 * TILE * TILE * 5 })
    // 1/4 of the slide is 48 tiles of level 1 with those around it, or 12 of level 2.
    for (let frame = 0; frame < 10; frame++) {
      tiles.want({ x0: 0, y0: 0, x1: 512, y1: 384 }, 0.5)
      await arrive()
    }
    const once = asked.length
    tiles.want({ x0: 0, y0: 0, x1: 512, y1: 384 }, 0.5)
    await arrive()
    expect(asked).toHaveLength(once)
    expect(tiles.bytes).toBeLessThanOrEqual(20 * TILE * TILE * 5)
    expect(new Set(asked).size).toBe(once)
  })
})

describe('drawing a slide', () => {
  it('shows the smallest level until the tiles are here, so that nothing is blank', async () => {
    const { tiles } = slide()
    tiles.want(everything, 1 / 16)
    await arrive()
    const before = target(512, 384)
    drawSlide(before.context, tiles, half)
    expect(new Set(before.grey)).toEqual(new Set([40]))
    tiles.want(everything, 0.5)
    await arrive()
    const after = target(512, 384)
    while (!drawSlide(after.context, tiles, half)) await settle()
    expect(new Set(after.grey)).toEqual(new Set([10, 11]))
  })

  it('paints some tiles a frame and shows coarser ones until it is done', async () => {
    const { tiles } = slide()
    tiles.want(everything, 1 / 16)
    await arrive()
    tiles.want(everything, 0.5)
    await arrive()
    let time = 0
    const { context, grey } = target(512, 384)
    // Every tile takes 4 ms of a frame's 6.
    expect(drawSlide(context, tiles, half, () => (time += 4))).toBe(false)
    expect(grey.includes(-1)).toBe(false)
    expect(new Set(grey)).toContain(40)
    let frames = 1
    while (!drawSlide(context, tiles, half, () => (time += 4))) frames++
    expect(frames).toBeGreaterThan(5)
    expect(new Set(grey)).toEqual(new Set([10, 11]))
  })

  it('marks a damaged tile, shows the coarser picture under it, and asks for it again only when told', async () => {
    const { tiles, asked } = slide({ damaged: ['1/2/1'] })
    tiles.want(everything, 0.5)
    await arrive()
    expect(tiles.failures.map(({ key }) => tileName(key))).toEqual(['1/2/1'])
    expect(tiles.missing).toBe(0)
    const { context, grey, marks } = target(512, 384)
    while (!drawSlide(context, tiles, half)) await settle()
    expect(marks()).toBeGreaterThan(0)
    expect(grey[TILE * 512 + 2 * TILE]).toBe(40)
    expect(grey[0]).toBe(10)
    const times = () => asked.filter((name) => name === '1/2/1').length
    tiles.want(everything, 0.5)
    expect(times()).toBe(1)
    tiles.retry()
    await arrive()
    expect(times()).toBe(2)
  })

  it('puts 16-bit tiles through the window and keeps the old picture until the new one is painted', async () => {
    const { tiles } = slide({ voxelType: 'uint16' })
    tiles.want(everything, 1 / 16)
    await arrive()
    const whole = { ...half, viewport: { offsetX: 0, offsetY: 0, scaleX: 0.0625, scaleY: 0.0625 }, level: 4 }
    const clip = { x0: 0, y0: 0, x1: 64, y1: 48 }
    const { context, grey } = target(64, 48)
    drawSlide(context, tiles, { ...whole, clip })
    expect(grey[0]).toBe(40)
    tiles.setWindow({ center: 40, width: 40 })
    drawSlide(context, tiles, { ...whole, clip })
    expect(grey[0]).toBe(128)
  })

  it('covers every device pixel whatever the ratio and place', async () => {
    const { tiles } = slide()
    tiles.want(everything, 1)
    await arrive()
    for (const pixelRatio of [1, 1.25, 1.5, 2]) {
      const viewport = { offsetX: -17.3, offsetY: -5.7, scaleX: 0.83 / pixelRatio, scaleY: 0.83 / pixelRatio }
      // The target counts device pixels, so what is drawn is scaled to them.
      const { context, grey } = target(600, 500)
      const scaled = new Proxy(context, {
        get: (of, name) =>
          name === 'drawImage'
            ? (source: CanvasImageSource, x: number, y: number, w: number, h: number) => {
                const [x0, y0] = [Math.round(x * pixelRatio), Math.round(y * pixelRatio)]
                expect(Math.abs(x * pixelRatio - x0)).toBeLessThan(1e-6)
                of.drawImage(
                  source,
                  x0,
                  y0,
                  Math.round((x + w) * pixelRatio) - x0,
                  Math.round((y + h) * pixelRatio) - y0,
                )
              }
            : (Reflect.get(of, name) as unknown),
        set: () => true,
      })
      const clip = { x0: 0, y0: 0, x1: 600 / pixelRatio, y1: 500 / pixelRatio }
      while (!drawSlide(scaled, tiles, { ...half, viewport, pixelRatio, clip, level: 0 })) await settle()
      expect(grey.includes(-1)).toBe(false)
    }
  })

  it('gives every tile its place', () => {
    expect(tileRect(pyramid, { level: 2, column: 1, row: 1 })).toEqual({ x0: 256, y0: 256, x1: 512, y1: 512 })
  })
})
