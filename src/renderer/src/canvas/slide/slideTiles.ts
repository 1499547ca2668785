import type { Rect } from '../layout.ts'
import { intensityAt, type ImageSlice } from '../samples.ts'
import type { CreateSurface, TileSurface } from '../tileGrid.ts'
import type { Point } from '../viewport.ts'
import { createToneMap, renderImageRect, type DisplayWindow, type ToneMap } from '../windowLevel.ts'
import { ByteCache } from './byteCache.ts'
import {
  chooseLevel,
  levelFactor,
  tileName,
  tileRect,
  tilesIn,
  tilesTowards,
  type Pyramid,
  type TileKey,
} from './pyramid.ts'
import { TileQueue } from './tileQueue.ts'

export interface SlideTilesOptions {
  readonly pyramid: Pyramid
  readonly load: (key: TileKey, signal: AbortSignal) => Promise<ImageSlice>
  readonly window: DisplayWindow
  readonly createSurface: CreateSurface
  /** May a tile be asked for again by itself? Not if the file is damaged there. */
  readonly passes: (thrown: unknown) => boolean
  /** A tile came or failed. */
  readonly onChange: () => void
  readonly budgetBytes?: number
  readonly parallel?: number
}

interface Tile {
  readonly slice: ImageSlice
  surface: TileSurface | null
  /** What the surface was painted with. */
  tone: ToneMap | null
}

export interface TileFailure {
  readonly key: TileKey
  readonly thrown: unknown
}

const MEGABYTE = 2 ** 20
/**
 * Samples and painted tiles together: 96 MB of painted tiles come with up to 72 MB of colour samples. Screens of many pixels
 * get more, so that what they show is not magnified.
 */
const BUDGET = { least: 168 * MEGABYTE, aDevicePixel: 60, most: 512 * MEGABYTE } as const
const PARALLEL = 6
/** What is on screen takes this share of the budget at most; the rest is for what is around it. */
const SCREEN_SHARE = 0.5
const PAINTED_BYTES = 4

/** The tiles of a slide that are on this page: which are wanted, which are here, and their painted pictures. */
export class SlideTiles {
  readonly pyramid: Pyramid
  private readonly options: SlideTilesOptions
  private readonly cache: ByteCache<Tile>
  private readonly queue: TileQueue<ImageSlice>
  private readonly failed = new Map<string, TileFailure>()
  private budget: number
  private readonly last: number
  private tones = new Map<string, ToneMap>()
  private window: DisplayWindow
  private bytesPerPixel: number
  private scratch = new Uint32Array(0)
  private wanted: { level: number; keys: readonly TileKey[]; around: readonly TileKey[] } = {
    level: 0,
    keys: [],
    around: [],
  }

  constructor(options: SlideTilesOptions) {
    this.options = options
    this.pyramid = options.pyramid
    this.window = options.window
    this.budget = options.budgetBytes ?? BUDGET.least
    this.last = options.pyramid.levels.length - 1
    // Until the first tile says otherwise: 8-bit colour.
    this.bytesPerPixel = PAINTED_BYTES + 3
    this.cache = new ByteCache<Tile>(this.budget, (tile) => {
      tile.surface?.release?.()
    })
    this.queue = new TileQueue<ImageSlice>({
      load: options.load,
      parallel: options.parallel ?? PARALLEL,
      onLoaded: (key, slice) => {
        this.put(key, slice)
        options.onChange()
      },
      onFailed: (key, thrown) => {
        if (!options.passes(thrown)) this.failed.set(tileName(key), { key, thrown })
        options.onChange()
      },
    })
  }

  /** The level that was chosen for the screen. */
  get level(): number {
    return this.wanted.level
  }

  /** Samples and painted tiles, in bytes. */
  get bytes(): number {
    return this.cache.bytes
  }

  /** Tiles on screen that are neither here nor known to be damaged. */
  get missing(): number {
    return this.wanted.keys.filter((key) => !this.has(key) && !this.failed.has(tileName(key))).length
  }

  get failures(): readonly TileFailure[] {
    return [...this.failed.values()]
  }

  has(key: TileKey): boolean {
    return this.cache.has(tileName(key))
  }

  hasFailed(key: TileKey): boolean {
    return this.failed.has(tileName(key))
  }

  get anything(): boolean {
    return this.cache.size > 0
  }

  /** The screen has another number of device pixels. */
  setScreen(devicePixels: number): void {
    const wanted = Math.min(BUDGET.most, Math.max(BUDGET.least, devicePixels * BUDGET.aDevicePixel))
    this.budget = this.options.budgetBytes ?? wanted
    this.cache.setBudget(this.budget)
  }

  /** What is on screen: `area` in pixels of level 0, `scale` in device pixels for each of them. */
  want(area: Rect, scale: number): void {
    const { pyramid } = this
    const level = chooseLevel(pyramid, scale, area, (this.budget * SCREEN_SHARE) / this.bytesPerPixel)
    const centre: Point = { x: (area.x0 + area.x1) / 2, y: (area.y0 + area.y1) / 2 }
    const range = tilesIn(pyramid, level, area)
    const room = this.room
    const keys = tilesTowards(pyramid, level, range, centre).slice(0, room)
    const factor = levelFactor(pyramid, level)
    const [spanX, spanY] = [pyramid.tileWidth * factor.x, pyramid.tileHeight * factor.y]
    const wider = { x0: area.x0 - spanX, y0: area.y0 - spanY, x1: area.x1 + spanX, y1: area.y1 + spanY }
    const inside = ({ column, row }: TileKey): boolean =>
      column >= range.column0 && column < range.column1 && row >= range.row0 && row < range.row1
    const around = tilesTowards(pyramid, level, tilesIn(pyramid, level, wider), centre).filter((key) => !inside(key))
    this.wanted = { level, keys, around: around.slice(0, Math.max(0, room - keys.length)) }
    this.ask()
  }

  /** Asks again for what failed, or was lost with the connection. */
  retry(): void {
    this.failed.clear()
    this.ask()
  }

  setWindow(window: DisplayWindow): void {
    this.window = window
    this.tones = new Map()
  }

  /**
   * The picture of a tile that is here. Null where it is not, or where it would have to be painted and `mayPaint` is
   * false; one in an earlier window is given meanwhile.
   */
  picture(key: TileKey, mayPaint: () => boolean): { source: CanvasImageSource; current: boolean } | null {
    const tile = this.cache.get(tileName(key))
    if (!tile) return null
    const tone = this.toneOf(tile.slice)
    if (tile.tone !== tone && mayPaint()) this.paint(tile, tone)
    return tile.surface && { source: tile.surface.source, current: tile.tone === tone }
  }

  /** Scaled intensity at a point (pixels of level 0) as the finest tile here has it; null where none is. */
  intensityAt(point: Point): { readonly values: readonly number[]; readonly level: number } | null {
    for (let level = 0; level <= this.last; level++) {
      const factor = levelFactor(this.pyramid, level)
      const x = Math.floor(point.x / factor.x)
      const y = Math.floor(point.y / factor.y)
      const { tileWidth, tileHeight } = this.pyramid
      const key = { level, column: Math.floor(x / tileWidth), row: Math.floor(y / tileHeight) }
      const tile = this.cache.get(tileName(key))
      if (!tile) continue
      const offset = (y - key.row * tileHeight) * tile.slice.width + x - key.column * tileWidth
      return { values: intensityAt(tile.slice, offset), level }
    }
    return null
  }

  rectOf(key: TileKey): Rect {
    return tileRect(this.pyramid, key)
  }

  dispose(): void {
    this.queue.want([])
    this.cache.clear()
  }

  /** The whole slide first, so that there is always something to show; then the screen; then what lies around it. */
  private ask(): void {
    const { pyramid, last, wanted } = this
    const full = pyramid.levels[0] ?? { width: 0, height: 0 }
    const everything = { x0: 0, y0: 0, x1: full.width, y1: full.height }
    const whole = this.keepsWhole
      ? tilesTowards(pyramid, last, tilesIn(pyramid, last, everything), { x: full.width / 2, y: full.height / 2 })
      : []
    const seen = new Set<string>()
    const missing = [...whole, ...wanted.keys, ...wanted.around].filter((key) => {
      const name = tileName(key)
      if (seen.has(name) || this.cache.has(name) || this.failed.has(name)) return false
      seen.add(name)
      return true
    })
    this.queue.want(missing)
  }

  /** Tiles that are here together, whatever else is wanted: more would push each other out for ever. */
  private get room(): number {
    const { tileWidth, tileHeight } = this.pyramid
    const free = this.budget * (this.keepsWhole ? 0.7 : 0.95)
    return Math.max(1, Math.floor(free / (tileWidth * tileHeight * this.bytesPerPixel)))
  }

  /** Is the smallest level small enough to be kept whole? */
  private get keepsWhole(): boolean {
    const smallest = this.pyramid.levels[this.last]
    return smallest !== undefined && smallest.width * smallest.height * this.bytesPerPixel <= this.budget / 4
  }

  private put(key: TileKey, slice: ImageSlice): void {
    const pixels = slice.width * slice.height
    const bytes = slice.samples.byteLength + pixels * PAINTED_BYTES
    this.bytesPerPixel = Math.max(this.bytesPerPixel, bytes / pixels)
    this.cache.put(
      tileName(key),
      { slice, surface: null, tone: null },
      bytes,
      key.level === this.last && this.keepsWhole,
    )
  }

  private toneOf(slice: ImageSlice): ToneMap {
    const name = `${slice.voxelType} ${String(slice.slope)} ${String(slice.inter)}`
    const tone = this.tones.get(name) ?? createToneMap(slice, this.window)
    this.tones.set(name, tone)
    return tone
  }

  private paint(tile: Tile, tone: ToneMap): void {
    const { width, height } = tile.slice
    if (this.scratch.length < width * height) this.scratch = new Uint32Array(width * height)
    const layout = {
      width,
      height,
      sliceWidth: width,
      sliceHeight: height,
      transposed: false,
      origin: 0,
      stepI: 1,
      stepJ: width,
    }
    renderImageRect(tile.slice, layout, tone, { x0: 0, y0: 0, x1: width, y1: height }, this.scratch)
    tile.surface ??= this.options.createSurface(width, height)
    tile.surface.put(this.scratch, width, height, 0, 0)
    tile.tone = tone
  }
}
