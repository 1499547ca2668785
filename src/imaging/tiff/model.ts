import { basename, dirname, join } from 'node:path'
import type { Vec3 } from '../../core/contract/schemas.ts'
import { badFile } from '../files.ts'
import type { PageLayout } from './layout.ts'
import { aperioPixelSize, imageJOf, isAperio, resolutionOf, type PixelSize } from './metadata.ts'
import { isOme, parseOme, type Ome } from './ome.ts'
import { readPages, type PageList } from './pages.ts'
import { FileSource } from './source.ts'

/** Where a plane is: a page of a file, or a stretch behind one. */
export interface PlanePlace {
  /** Index into `files`. */
  readonly file: number
  /** Where the directory of its page begins. */
  readonly directory: number
  readonly shift: number
}

/** What the pages of a TIFF are together. Sizes are those stored, before the orientation tag. */
export interface TiffModel {
  readonly format: 'tiff' | 'ome-tiff' | 'svs'
  readonly pages: PageList
  readonly first: PageLayout
  readonly slices: number
  readonly frames: number
  /** Grey channels to choose from: 1 for colour. */
  readonly channels: number
  readonly channelNames: readonly string[]
  /** mm; null where the file does not say. */
  readonly spacing: Vec3 | null
  /** Names of the files, this one first. */
  readonly files: readonly string[]
  /** Null where the file lacks the plane. */
  place(slice: number, frame: number, channel: number): PlanePlace | null
  readonly warnings: readonly string[]
}

/** Reads how the pages of an opened file belong together. Throws CodedError('bad-file'). */
export async function readModel(source: FileSource, signal?: AbortSignal): Promise<TiffModel> {
  const pages = await readPages(source, signal)
  const warnings = [...pages.warnings]
  if (isOme(pages.description)) {
    const ome = parseOme(pages.description)
    if (ome !== null && 'elsewhere' in ome) {
      throw badFile(
        source.path,
        `is a part of an OME image that ${basename(ome.elsewhere)} describes; export it as one file.`,
      )
    }
    const model = ome === null ? null : await omeModel(source, pages, ome, warnings)
    if (model !== null) return model
    warnings.push('The OME metadata of the file do not go with its pages; the pages are taken as slices.')
  }
  const aperio = isAperio(pages.description)
  const stack = aperio ? null : await imageJModel(source, pages, warnings)
  return stack ?? plainModel(source, pages, aperio, warnings)
}

/** Pages of one size, type and colours are slices; of the others those that are no levels are left out. */
async function plainModel(
  source: FileSource,
  pages: PageList,
  aperio: boolean,
  warnings: string[],
): Promise<TiffModel> {
  const { first, entries, levels } = pages
  const size: PixelSize = aperio ? aperioPixelSize(pages.description) : await resolutionOf(first)
  const slices = aperio ? entries.slice(0, 1) : entries.filter((entry) => entry.kind === 0 && !entry.reduced)
  if (slices.length === 0) slices.push(...entries.slice(0, 1))
  const others = entries.length - slices.length - levels.length
  if (!aperio && others > 0) warnings.push(leftOut(others))
  return {
    format: aperio ? 'svs' : 'tiff',
    pages,
    first,
    slices: slices.length,
    frames: 1,
    channels: first.channels,
    channelNames: [],
    spacing: size === null ? null : [size[0], size[1], slices.length > 1 ? size[0] : 1],
    files: [source.path],
    place: (slice) => placeOf(slices[slice]?.offset),
    warnings: size !== null && slices.length > 1 ? [...warnings, UNKNOWN_DISTANCE] : warnings,
  }
}

const UNKNOWN_DISTANCE = 'The file does not say how far its slices are apart; the width of a pixel is taken for it.'

function leftOut(count: number): string {
  return count === 1
    ? 'A page of another size or kind is left out.'
    : `${count} pages of other sizes or kinds are left out.`
}

function placeOf(directory: number | undefined): PlanePlace | null {
  return directory === undefined ? null : { file: 0, directory, shift: 0 }
}

/** ImageJ's hyperstacks: channels fastest, then slices, then frames; large ones have a single directory. */
async function imageJModel(source: FileSource, pages: PageList, warnings: string[]): Promise<TiffModel | null> {
  const { first, description } = pages
  const stack = await imageJOf(description, first)
  if (stack === null) return null
  const entries = pages.entries.filter((entry) => entry.kind === 0)
  const planeBytes = Math.ceil((first.width * first.height * first.samples * first.bits) / 8)
  const packed = entries.length === 1 && stack.images > 1
  if (!packed && entries.length !== stack.images) return null
  if (packed && (first.compression !== 1 || first.tiled || planeBytes * stack.images > source.size)) return null
  const { channels, slices, frames } = stack
  const several = stack.channels > 1
  return {
    format: 'tiff',
    pages,
    first,
    slices,
    frames,
    channels: several ? channels : first.channels,
    channelNames: several ? namedChannels(channels) : [],
    spacing: stack.spacing,
    files: [source.path],
    place: (slice, frame, channel) => {
      const index = (several ? channel : 0) + channels * (slice + slices * frame)
      const at = placeOf(entries[packed ? 0 : index]?.offset)
      return at === null || !packed ? at : { ...at, shift: index * planeBytes }
    },
    warnings: stack.spacing !== null && !stack.zKnown && slices > 1 ? [...warnings, UNKNOWN_DISTANCE] : warnings,
  }
}

/** Null where the metadata contradict the pages. */
async function omeModel(source: FileSource, pages: PageList, ome: Ome, warnings: string[]): Promise<TiffModel | null> {
  const { first } = pages
  if (ome.sizeX !== first.width || ome.sizeY !== first.height) return null
  const total = ome.sizeZ * ome.sizeC * ome.sizeT
  const places = new Map<number, PlanePlace>()
  const parts = await openParts(source, pages, ome)
  // Stretches can overlap, and metadata can state as many as they like: more than a few for each plane say nothing new.
  let left = 16 * (total + ome.planes.length)
  for (const stretch of ome.planes) {
    const file = stretch.file === null ? 0 : (parts.index.get(stretch.file) ?? 0)
    const chain = parts.offsets[file] ?? []
    for (let k = 0; k < stretch.count && stretch.page + k < chain.length && left > 0; k++, left--) {
      const directory = chain[stretch.page + k]
      if (stretch.plane + k < total && directory !== undefined) {
        places.set(stretch.plane + k, { file, directory, shift: 0 })
      }
    }
  }
  if (places.size === 0) return null
  if (ome.images > 1) warnings.push(`The file holds ${ome.images} images; the first one is used.`)
  if (places.size < total) warnings.push(`The file lacks ${total - places.size} of its ${total} planes.`)
  if (ome.spacing !== null && !ome.zKnown && ome.sizeZ > 1) warnings.push(UNKNOWN_DISTANCE)
  const several = ome.sizeC > 1
  const { steps } = ome
  return {
    format: 'ome-tiff',
    pages,
    first,
    slices: ome.sizeZ,
    frames: ome.sizeT,
    channels: several ? ome.sizeC : first.channels,
    channelNames: several ? namedChannels(ome.sizeC, ome.channelNames) : first.colour ? [] : ome.channelNames,
    spacing: ome.spacing,
    files: parts.files,
    place: (slice, frame, channel) =>
      places.get(slice * steps.z + frame * steps.t + (several ? channel : 0) * steps.c) ?? null,
    warnings,
  }
}

/** Nobody chooses among more. */
const MOST_NAMES = 1024

/** A name for each of several channels, so that one of them can be chosen: the file's own where it has one. */
function namedChannels(count: number, names: readonly string[] = []): string[] {
  if (count > MOST_NAMES) return []
  return Array.from({ length: count }, (_, at) => {
    const name = names[at] ?? ''
    return name === '' ? `Channel ${at + 1}` : name
  })
}

const MOST_FILES = 4096

interface Parts {
  /** Index of a file by its name in the metadata. */
  readonly index: ReadonlyMap<string, number>
  readonly files: readonly string[]
  /** Where the directories of each file are. */
  readonly offsets: readonly (readonly number[])[]
}

/** The files of an image in several, which lie in one folder. Throws CodedError('bad-file') where one is missing. */
async function openParts(source: FileSource, pages: PageList, ome: Ome): Promise<Parts> {
  const own = basename(source.path)
  const names = new Set(ome.planes.flatMap(({ file }) => (file === null ? [] : [file])))
  const index = new Map<string, number>([[own, 0]])
  const files = [source.path]
  const offsets = [pages.entries.map((entry) => entry.offset)]
  // A file that was renamed still names itself by the name that it had: where no other is named, it is itself.
  if (names.size === 1) return { index: new Map([...names].map((name) => [name, 0])), files, offsets }
  if (names.size > MOST_FILES) throw badFile(source.path, 'is a part of too many files; export it as one file.')
  for (const name of names) {
    if (name === own) continue
    // Names of files, not paths: metadata do not lead anywhere else.
    const path = join(dirname(source.path), basename(name.replaceAll('\\', '/')))
    const part = await FileSource.open(path).catch(() => null)
    if (part === null) {
      throw badFile(source.path, `is a part of an OME image, and ${basename(path)} is missing; put it beside it.`)
    }
    try {
      index.set(name, files.length)
      offsets.push((await readPages(part)).entries.map((entry) => entry.offset))
      files.push(path)
    } finally {
      await part.close()
    }
  }
  return { index, files, offsets }
}
