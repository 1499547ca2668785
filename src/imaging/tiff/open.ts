import { basename } from 'node:path'
import { CodedError } from '../../core/contract/errors.ts'
import type { ImageSelection, Vec3 } from '../../core/contract/schemas.ts'
import { badFile } from '../files.ts'
import type { Pixels, Rectangle } from '../tiled.ts'
import type { ImageInfo } from '../types.ts'
import { readDirectory, readTiffHeader } from './directory.ts'
import { datatypeName, pageKey, readLayout, type PageLayout } from './layout.ts'
import { readModel, type TiffModel } from './model.ts'
import { isTurned, oriented, storedRectangle } from './orient.ts'
import { Page } from './page.ts'
import { findLevels } from './pages.ts'
import { readRegion, type BlockOf, type Wanted } from './region.ts'
import { FileSource } from './source.ts'
import { Compression } from './tags.ts'

/** Pixels of one page above which an image is shown tile by tile. */
export const LARGEST_WHOLE = 64_000_000

/** An opened TIFF: what its pages are together, and their pixels, turned as the orientation tag asks. */
export class TiffImage {
  readonly path: string
  readonly model: TiffModel
  readonly #sources: (FileSource | null)[]

  private constructor(source: FileSource, model: TiffModel) {
    this.path = source.path
    this.model = model
    this.#sources = [source]
  }

  /** Throws a CodedError that names the file. To be closed. */
  static async open(path: string, signal?: AbortSignal): Promise<TiffImage> {
    const source = await FileSource.open(path)
    try {
      return new TiffImage(source, await readModel(source, signal))
    } catch (error) {
      await source.close()
      throw error
    }
  }

  /** Width and height as shown. */
  get size(): { readonly width: number; readonly height: number } {
    return shownSize(this.model.first, this.model.first.orientation)
  }

  get spacing(): Vec3 | null {
    const { spacing, first } = this.model
    return spacing !== null && isTurned(first.orientation) ? [spacing[1], spacing[0], spacing[2]] : spacing
  }

  info(): ImageInfo {
    const { model } = this
    const { first } = model
    const { width, height } = this.size
    const spacing = this.spacing
    return {
      format: model.format,
      dims: [width, height, model.slices, model.frames],
      spacing: spacing ?? [1, 1, 1],
      spacingKnown: spacing !== null,
      datatype: datatypeName(first),
      channels: first.colour ? 3 : model.channels,
      channelNames: model.channelNames,
      affine: null,
      affineSource: 'none',
      orientation: null,
      slope: 1,
      inter: 0,
      byteOrder: first.little ? 'little' : 'big',
      compressed: first.compression !== Compression.none,
      frames: model.frames,
      complex: false,
      levels: model.pages.levels.length + 1,
      tiled: width * height > LARGEST_WHOLE,
      disagreement: null,
      warnings: model.warnings,
    }
  }

  /** Frame and channel that were asked for. Throws CodedError('bad-request') where the file has fewer. */
  chosen(selection: ImageSelection | undefined): { frame: number; channel: number } {
    const frame = selection?.frame ?? 0
    const channel = selection?.channel ?? 0
    const { frames, channels } = this.model
    if (frame >= frames || channel >= channels) {
      throw new CodedError(
        'bad-request',
        `${basename(this.path)} has ${frames} frames and ${channels} channels; choose one of them.`,
      )
    }
    return { frame, channel }
  }

  /** The page of a slice. Throws CodedError('bad-file') where it is missing or of another kind than the first. */
  async page(slice: number, frame: number, channel: number): Promise<Page> {
    const place = this.model.place(slice, frame, channel)
    if (place === null) {
      throw badFile(this.path, `lacks slice ${slice + 1}; export it again from where it came from.`)
    }
    const { first, pages } = this.model
    const source = await this.#source(place.file)
    if (place.file === 0 && place.directory === first.directory.offset) return Page.open(source, first, place.shift)
    const header = place.file === 0 ? pages.header : await readTiffHeader(source)
    const layout = await readLayout(source, await readDirectory(source, header, place.directory))
    if (pageKey(layout) !== pageKey(first)) {
      throw badFile(this.path, `has another kind of picture as slice ${slice + 1}; export it as a stack of one kind.`)
    }
    return Page.open(source, layout)
  }

  /** A plane and its smaller copies in the file, largest first. Throws as `page`. */
  async pyramid(frame: number, channel: number): Promise<Page[]> {
    const { first, pages } = this.model
    const page = await this.page(0, frame, channel)
    const source = await this.#source(this.model.place(0, frame, channel)?.file ?? 0)
    const isFirst = page.layout.directory === first.directory
    // Other planes than the first have their own only where these are under their page.
    const levels = isFirst ? pages.levels : await findLevels(source, await readTiffHeader(source), page.layout, [], [])
    const found = [page]
    for (const layout of levels) found.push(await Page.open(source, layout))
    return found
  }

  async #source(index: number): Promise<FileSource> {
    const path = this.model.files[index] ?? this.path
    const source = this.#sources[index] ?? (await FileSource.open(path))
    this.#sources[index] = source
    return source
  }

  async close(): Promise<void> {
    for (const source of this.#sources) await source?.close()
  }
}

/** Of several samples in a page the chosen one; of channels in pages of their own each has one. */
export function sampleOf(image: TiffImage, channel: number): number {
  return image.model.first.channels > 1 ? channel : 0
}

export function shownSize(
  { width, height }: { width: number; height: number },
  orientation: number,
): { width: number; height: number } {
  return isTurned(orientation) ? { width: height, height: width } : { width, height }
}

/** Pixels of a rectangle as shown: turned and mirrored as the first page asks. */
export async function readShown(
  page: Page,
  rectangle: Rectangle,
  wanted: Wanted,
  orientation: number,
  options: { blockOf?: BlockOf | undefined; signal?: AbortSignal | undefined } = {},
): Promise<Pixels> {
  const where = storedRectangle(orientation, rectangle, page.layout)
  const pixels = await readRegion(page, where, wanted, options)
  const data = oriented(pixels.data, pixels, pixels.channels, orientation)
  return { width: rectangle.width, height: rectangle.height, channels: pixels.channels, data }
}

/** The whole of a page. */
export function wholeOf(layout: PageLayout, orientation: number): Rectangle {
  return { x: 0, y: 0, ...shownSize(layout, orientation) }
}
