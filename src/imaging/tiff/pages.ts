import { badFile } from '../files.ts'
import { CodedError } from '../../core/contract/errors.ts'
import { readDirectory, readTiffHeader, type Directory, type TiffHeader } from './directory.ts'
import { pageKey, readLayout, type PageLayout } from './layout.ts'
import type { FileSource } from './source.ts'
import { Photometric, Tag } from './tags.ts'

/** Pages that are looked at. More are possible, and finding them all would take as long as the file likes. */
export const MOST_PAGES = 20_000
/** Levels of one pyramid, in the chain of pages or under a page. */
const MOST_LEVELS = 64

/** The bits of NewSubfileType. */
const REDUCED = 1
const MASK = 4

/** What is kept of each page of the chain. */
export interface PageEntry {
  readonly offset: number
  /** Pages with the same number have the same size, type and colours. */
  readonly kind: number
  readonly reduced: boolean
}

/** The pages of a file. */
export interface PageList {
  readonly header: TiffHeader
  readonly first: PageLayout
  /** In the order of the chain, masks of transparency left out; the first is `first`. */
  readonly entries: readonly PageEntry[]
  /** For each kind, a page of it. */
  readonly layouts: readonly (PageLayout | null)[]
  /** Reduced copies of the first page, largest first. */
  readonly levels: readonly PageLayout[]
  readonly description: string
  readonly warnings: readonly string[]
}

const MOST_DESCRIPTION = 2 ** 24

/**
 * Walks through the directories of a file, each only once, whatever they say comes next. Throws CodedError('bad-file') where the first
 * page cannot be read; of the later ones those that can be read are used.
 */
export async function readPages(source: FileSource, signal?: AbortSignal): Promise<PageList> {
  const header = await readTiffHeader(source)
  const warnings: string[] = []
  const entries: PageEntry[] = []
  const layouts: (PageLayout | null)[] = []
  const kinds = new Map<string, number>()
  const seen = new Set<number>()
  let first: PageLayout | null = null
  let description = ''
  let offset = header.first
  while (offset !== 0) {
    signal?.throwIfAborted()
    if (seen.has(offset)) {
      warnings.push('The pages of the file lead back to an earlier one; each is used once.')
      break
    }
    if (seen.size >= MOST_PAGES) {
      warnings.push(`The file has more than ${MOST_PAGES} pages; the first ${MOST_PAGES} are used.`)
      break
    }
    seen.add(offset)
    const directory: Directory | null = await laterPage(first !== null, () => readDirectory(source, header, offset))
    if (directory === null) {
      warnings.push(`The pages after number ${seen.size - 1} are damaged or missing.`)
      break
    }
    offset = directory.next
    const subfile = (await directory.number(Tag.newSubfileType)) ?? 0
    const photometric = await laterPage(true, () => directory.number(Tag.photometric))
    if ((subfile & MASK) !== 0 || photometric === Photometric.transparency) continue
    const layout: PageLayout | null = await laterPage(first !== null, () => readLayout(source, directory))
    if (first === null) {
      first = layout
      description = await directory.text(Tag.imageDescription, MOST_DESCRIPTION)
    }
    const key = layout === null ? `unreadable ${seen.size}` : `${pageKey(layout)} ${layout.tiled}`
    const kind = kinds.get(key) ?? layouts.length
    if (kind === layouts.length) {
      kinds.set(key, kind)
      layouts.push(layout)
    }
    entries.push({ offset: directory.offset, kind, reduced: (subfile & REDUCED) !== 0 })
  }
  if (first === null) throw badFile(source.path, 'holds no picture; export it again from where it came from.')
  const levels = await findLevels(source, header, first, entries, layouts)
  return { header, first, entries, layouts, levels, description, warnings }
}

/** Where an earlier page is good, a damaged one is no reason to refuse the file. */
async function laterPage<T>(isLater: boolean, read: () => Promise<T>): Promise<T | null> {
  try {
    return await read()
  } catch (error) {
    if (isLater && error instanceof CodedError) return null
    throw error
  }
}

/** A page by where its directory is. */
export async function readPageAt(source: FileSource, header: TiffHeader, offset: number): Promise<PageLayout> {
  return readLayout(source, await readDirectory(source, header, offset))
}

/**
 * Smaller copies: directories under a page, or, of the first one, later pages with its aspect that are marked, or tiled as it is.
 */
export async function findLevels(
  source: FileSource,
  header: TiffHeader,
  first: PageLayout,
  entries: readonly PageEntry[],
  layouts: readonly (PageLayout | null)[],
): Promise<PageLayout[]> {
  const candidates: PageLayout[] = []
  for (const offset of await first.directory.numbers(Tag.subIfds, MOST_LEVELS)) {
    const layout = await laterPage(true, () => readPageAt(source, header, offset))
    if (layout !== null) candidates.push(layout)
  }
  const seen = new Set<number>()
  for (const { kind, reduced } of entries.slice(1)) {
    const layout = layouts[kind] ?? null
    if (layout === null || seen.has(kind) || kind === entries[0]?.kind) continue
    seen.add(kind)
    if (reduced || (layout.tiled && first.tiled)) candidates.push(layout)
  }
  const levels: PageLayout[] = []
  let above = first
  candidates.sort((a, b) => b.width - a.width)
  for (const layout of candidates) {
    if (levels.length === MOST_LEVELS || !isReducedCopy(layout, first, above)) continue
    levels.push(layout)
    above = layout
  }
  return levels
}

/** The same picture but smaller: its colours and its aspect, but for a pixel that was rounded away at each halving. */
function isReducedCopy(layout: PageLayout, first: PageLayout, above: PageLayout): boolean {
  const sameKind =
    layout.samples === first.samples &&
    layout.bits === first.bits &&
    layout.format === first.format &&
    layout.colour === first.colour
  if (!sameKind || layout.width >= above.width || layout.height > above.height) return false
  const factor = first.width / layout.width
  return Math.abs(first.height / factor - layout.height) <= Math.max(2, layout.height * 0.01)
}
