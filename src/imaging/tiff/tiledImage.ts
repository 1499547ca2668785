import { basename } from 'node:path'
import { CodedError } from '../../core/contract/errors.ts'
import { abortError, readError } from '../files.ts'
import type { Pixels, Rectangle, TiledImage, TiledOptions, TileLevel } from '../tiled.ts'
import type { ImageInfo } from '../types.ts'
import { BlockCache } from './blockCache.ts'
import { readShown, sampleOf, shownSize, TiffImage } from './open.ts'
import type { Page } from './page.ts'
import { regionKind, type Wanted } from './region.ts'
import { eightBits } from './samples.ts'
import { halved, type Halving } from './shrink.ts'

const TILE = 512
/** Levels go on until one tile holds all. */
const SMALLEST = TILE
/** A level in the file that is smaller by more than this gets another one before it. */
const WIDEST_GAP = 4.5
/** Decoded blocks of the file. */
const BLOCK_BYTES = 64 * 2 ** 20
/** Pixels of tiles that were made of a larger level, for each level: the small ones, which cost most, stay. */
const MADE_BYTES = 16 * 2 ** 20
/** Pixels of a region that is read at once. */
const LARGEST_REGION = 64_000_000

interface MadeTiles {
  readonly tiles: Map<string, Pixels>
  bytes: number
}

/** A level in the file, or one that is made by halving the one before it. */
type Source = { readonly page: Page } | { readonly page: null }

/**
 * Opens any TIFF to be read in pieces: the levels of its first slice, and such as are missing made of the next larger ones.
 * Throws a CodedError that names the file. To be closed.
 */
export async function openTiled(path: string, options: TiledOptions = {}): Promise<TiffTiledImage> {
  const image = await TiffImage.open(path, options.signal)
  try {
    const { frame, channel } = image.chosen(options.selection)
    const wanted: Wanted = { channel: sampleOf(image, channel), as: 'image' }
    return new TiffTiledImage(image, await image.pyramid(frame, channel), wanted)
  } catch (error) {
    await image.close()
    throw error
  }
}

export class TiffTiledImage implements TiledImage {
  readonly info: ImageInfo
  readonly channels: 1 | 3
  readonly levels: readonly TileLevel[]
  readonly tileWidth = TILE
  readonly tileHeight = TILE
  readonly #image: TiffImage
  readonly #sources: readonly Source[]
  readonly #wanted: Wanted
  readonly #orientation: number
  readonly #blocks = new BlockCache(BLOCK_BYTES)
  readonly #made: readonly MadeTiles[]
  #closed = false

  constructor(image: TiffImage, pages: readonly Page[], wanted: Wanted) {
    this.#image = image
    this.#wanted = wanted
    this.#orientation = image.model.first.orientation
    this.channels = regionKind(image.model.first, wanted).channels
    const { levels, sources } = planLevels(pages, this.#orientation)
    this.levels = levels
    this.#sources = sources
    this.#made = sources.map(() => ({ tiles: new Map<string, Pixels>(), bytes: 0 }))
    const warnings = [...image.info().warnings]
    if (image.model.slices > 1 && image.info().tiled) {
      warnings.push(`Of ${image.model.slices} slices the first one is shown.`)
    }
    this.info = { ...image.info(), warnings }
  }

  async tile(
    level: number,
    column: number,
    row: number,
    options: { signal?: AbortSignal | undefined } = {},
  ): Promise<Pixels> {
    const { width, height } = this.#level(level)
    const [x, y] = [column * TILE, row * TILE]
    if (!(column >= 0 && row >= 0 && x < width && y < height)) throw this.#outside()
    const rectangle = { x, y, width: Math.min(TILE, width - x), height: Math.min(TILE, height - y) }
    return this.#guarded(options.signal, () => this.#read(level, rectangle, options.signal))
  }

  async region(
    level: number,
    rectangle: Rectangle,
    options: { signal?: AbortSignal | undefined } = {},
  ): Promise<Pixels> {
    this.check(level, rectangle)
    return this.#guarded(options.signal, () => this.#read(level, rectangle, options.signal))
  }

  /** Throws CodedError('bad-request') where a rectangle is outside of a level, or too large to be read at once. */
  check(level: number, { x, y, width, height }: Rectangle): void {
    const size = this.#level(level)
    const whole = [x, y, width, height].every(Number.isInteger)
    if (!whole || x < 0 || y < 0 || width < 1 || height < 1 || x + width > size.width || y + height > size.height) {
      throw this.#outside()
    }
    if (width * height > LARGEST_REGION) {
      const name = basename(this.#image.path)
      throw new CodedError(
        'bad-request',
        `A region of ${name} can have 64 million pixels at most; choose a smaller one.`,
      )
    }
  }

  #level(level: number): TileLevel {
    const found = this.levels[level]
    if (found === undefined) throw this.#outside()
    return found
  }

  #outside(): CodedError {
    return new CodedError(
      'bad-request',
      `${basename(this.#image.path)} has no pixels there; choose a region inside of it.`,
    )
  }

  async #guarded<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    try {
      if (this.#closed) throw abortError()
      signal?.throwIfAborted()
      return await work()
    } catch (error) {
      throw readError(signal?.aborted === true || this.#closed ? abortError() : error, this.#image.path)
    }
  }

  async #read(level: number, rectangle: Rectangle, signal: AbortSignal | undefined): Promise<Pixels> {
    const source = this.#sources[level]
    if (source === undefined) throw this.#outside()
    if (source.page === null) return this.#readMade(level, rectangle, signal)
    const options = { blockOf: this.#blocks.get, signal }
    const pixels = await readShown(source.page, rectangle, this.#wanted, this.#orientation, options)
    return eightBitColours(pixels)
  }

  /** Of tiles of this level, each made of the four below it and kept for a while. */
  async #readMade(level: number, rectangle: Rectangle, signal: AbortSignal | undefined): Promise<Pixels> {
    const { x, y, width, height } = rectangle
    const first = { column: Math.floor(x / TILE), row: Math.floor(y / TILE) }
    const last = { column: Math.floor((x + width - 1) / TILE), row: Math.floor((y + height - 1) / TILE) }
    let out: Halving | null = null
    for (let row = first.row; row <= last.row; row++) {
      for (let column = first.column; column <= last.column; column++) {
        signal?.throwIfAborted()
        const tile = await this.#madeTile(level, column, row, signal)
        const at = { x: column * TILE - x, y: row * TILE - y }
        if (at.x === 0 && at.y === 0 && tile.width === width && tile.height === height) return tile
        out ??= { width, height, channels: tile.channels, data: tile.data.slice(0, 0) }
        out = halved.place(out, tile, at)
      }
    }
    if (out === null) throw this.#outside()
    return out
  }

  async #madeTile(level: number, column: number, row: number, signal: AbortSignal | undefined): Promise<Pixels> {
    const key = `${column}/${row}`
    const made = this.#made[level]?.tiles
    const known = made?.get(key)
    if (known !== undefined) {
      made?.delete(key)
      made?.set(key, known)
      return known
    }
    const size = this.#level(level)
    const above = this.#level(level - 1)
    const target = {
      width: Math.min(TILE, size.width - column * TILE),
      height: Math.min(TILE, size.height - row * TILE),
    }
    const from = { x: 2 * column * TILE, y: 2 * row * TILE }
    const tile = await halved.fromQuarters(target, async (x, y, width, height) => {
      const [left, top] = [from.x + x, from.y + y]
      const rectangle = {
        x: left,
        y: top,
        width: Math.min(width, above.width - left),
        height: Math.min(height, above.height - top),
      }
      return rectangle.width > 0 && rectangle.height > 0 ? this.#read(level - 1, rectangle, signal) : null
    })
    this.#keep(level, key, tile)
    return tile
  }

  #keep(level: number, key: string, tile: Pixels): void {
    const made = this.#made[level]
    if (made === undefined || this.#closed || made.tiles.has(key)) return
    made.tiles.set(key, tile)
    made.bytes += tile.data.byteLength
    for (const [oldest, { data }] of made.tiles) {
      if (made.bytes <= MADE_BYTES) break
      made.tiles.delete(oldest)
      made.bytes -= data.byteLength
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#blocks.clear()
    for (const made of this.#made) made.tiles.clear()
    await this.#image.close()
  }
}

/** The levels of the file with halved ones where the gaps are wide and at the end. */
function planLevels(pages: readonly Page[], orientation: number): { levels: TileLevel[]; sources: Source[] } {
  const levels: TileLevel[] = []
  const sources: Source[] = []
  let full = 1
  let last = { width: 0, height: 0 }
  const add = (size: { width: number; height: number }, source: Source): void => {
    levels.push({ ...size, downsample: full / size.width })
    sources.push(source)
    last = size
  }
  for (const page of pages) {
    const size = shownSize(page.layout, orientation)
    if (levels.length === 0) full = size.width
    while (levels.length > 0 && last.width / size.width > WIDEST_GAP) add(half(last), { page: null })
    add(size, { page })
  }
  while (Math.max(last.width, last.height) > SMALLEST) add(half(last), { page: null })
  return { levels, sources }
}

function half({ width, height }: { width: number; height: number }): { width: number; height: number } {
  return { width: Math.max(1, Math.ceil(width / 2)), height: Math.max(1, Math.ceil(height / 2)) }
}

function eightBitColours(pixels: Pixels): Pixels {
  if (pixels.channels === 1 || !(pixels.data instanceof Uint16Array)) return pixels
  return { ...pixels, data: eightBits(pixels.data) }
}
