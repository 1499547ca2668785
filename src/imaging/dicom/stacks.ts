import type { Affine } from '../../core/contract/schemas.ts'
import { dot, type FrameGroups, type FrameHeader, type Orientation } from './frames.ts'
import type { DicomFile } from './header.ts'
import { affineOf, stepsOf } from './steps.ts'

/** One frame of one file: a slice of a volume. */
export interface Slice {
  readonly file: DicomFile
  readonly frame: number
  readonly header: FrameHeader
}

/** Slices that make up one volume, or several at the same place. */
export interface Stack {
  /** Names the stack in a selection: the series' UID, with a number where a series falls into several. */
  readonly id: string
  /** Each is a volume: slices in the order of the third axis. All have the same number of them. */
  readonly frames: readonly (readonly Slice[])[]
  readonly geometry: StackGeometry | null
  readonly warnings: readonly string[]
  readonly gaps: boolean
}

export interface StackGeometry {
  /** Voxel to world, RAS. */
  readonly affine: Affine
  readonly orientation: Orientation
}

/** In-plane directions that differ by less are the same, and so are spacings that differ by this part. */
const SAME = 1e-3

/** Directions in one series that are searched for one that fits: what has more is no stack of slices. */
const MAX_GRIDS = 200

/** The part of its places that a volume may have twice without being taken for several. */
const OVERLAP = 0.1

/** Sorts slices into stacks: what differs in series, size, direction or spacing cannot be one volume. */
export function stacksOf(files: readonly DicomFile[]): Stack[] {
  const clusters = new Map<string, Slice[][]>()
  for (const slice of files.flatMap((file) => file.frames.map((header, frame) => ({ file, frame, header })))) {
    const key = keyOf(slice)
    const found = clusters.get(key) ?? []
    clusters.set(key, found)
    const fitting = found
      .slice(0, MAX_GRIDS)
      .find(([first]) => first !== undefined && sameGrid(first.header, slice.header))
    if (fitting === undefined) found.push([slice])
    else fitting.push(slice)
  }
  const stacks = [...clusters.values()].flat().flatMap((slices) => arrange(slices))
  const largestFirst = stacks.toSorted((a, b) => countOf(b) - countOf(a) || pixelsOf(b) - pixelsOf(a))
  const seen = new Map<string, number>()
  return largestFirst.map((stack) => {
    const number = (seen.get(stack.id) ?? 0) + 1
    seen.set(stack.id, number)
    return number === 1 ? stack : { ...stack, id: `${stack.id}#${number}` }
  })
}

/** Images in it, over all frames. */
export function countOf({ frames }: Stack): number {
  return frames.length * (frames[0]?.length ?? 0)
}

function pixelsOf({ frames }: Stack): number {
  const pixels = frames[0]?.[0]?.file.pixels
  return pixels === undefined ? 0 : pixels.rows * pixels.columns
}

function keyOf({ file, header }: Slice): string {
  const { rows, columns, samples, palette, crop } = file.pixels
  const placed = header.position !== null && header.orientation !== null
  return [
    seriesId(file),
    ...[rows, columns, crop?.rows, crop?.columns, samples, palette === null],
    ...[placed, file.localizer, file.modality],
    // Slides and other pictures without a place are no stack just because they are in one series.
    file.slide ? file.path : '',
  ].join('|')
}

/** The series' UID. Series without one, as careless removal of names leaves them, are told apart by modality and number. */
export function seriesId({ seriesUid, modality, seriesNumber }: DicomFile): string {
  if (seriesUid !== '') return seriesUid
  return ['unnamed', modality.replaceAll(/[^A-Z]/g, ''), seriesNumber ?? 0].filter((part) => part !== '').join('-')
}

function sameGrid(a: FrameHeader, b: FrameHeader): boolean {
  const [first, second] = [a.orientation, b.orientation]
  if ((first === null) !== (second === null) || (a.spacing === null) !== (b.spacing === null)) return false
  if (first !== null && second !== null) {
    const off = Math.max(
      ...first.row.map((value, i) => Math.abs(value - (second.row[i] ?? 0))),
      ...first.column.map((value, i) => Math.abs(value - (second.column[i] ?? 0))),
    )
    if (off > SAME) return false
  }
  return a.spacing === null || a.spacing.every((mm, i) => Math.abs(mm - (b.spacing?.[i] ?? 0)) <= SAME * mm)
}

function arrange(slices: readonly Slice[]): Stack[] {
  const [first] = slices
  if (first === undefined) return []
  const { unique, warnings } = withoutCopies(slices)
  const { position, orientation } = first.header
  if (position === null || orientation === null) return [unplaced(unique, warnings)]
  const places = placesOf(unique, orientation)
  const sizes = new Set(places.map((place) => place.length))
  if (sizes.size === 1) return [placed(places, orientation, warnings)]
  const surplus = unique.length - places.length
  // Acquisitions of neighbouring parts of the body that overlap by a little are one volume all the same.
  const parts = surplus <= OVERLAP * places.length ? null : split(unique, orientation)
  if (parts !== null) return parts.map((part) => placed(placesOf(part, orientation), orientation, warnings))
  warnings.push(
    `${surplus} of ${unique.length} images lie where another one of the series lies; the first at each place is used.`,
  )
  return [
    placed(
      places.map((place) => place.slice(0, 1)),
      orientation,
      warnings,
    ),
  ]
}

/** The same image twice, as a copied file: the second is left out. */
function withoutCopies(slices: readonly Slice[]): { unique: Slice[]; warnings: string[] } {
  const seen = new Set<string>()
  const unique = slices.filter(({ file, frame, header }) => {
    if (file.sopInstance === '') return true
    // Its UID alone does not tell: some programs that remove names give all images the same one.
    const key = [file.sopInstance, frame, header.position, header.order].join('/')
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
  const left = slices.length - unique.length
  return { unique, warnings: left === 0 ? [] : [`${left} images are there twice; the copies are left out.`] }
}

/** Without places: in the order of their numbers, by which they were taken. */
function unplaced(slices: readonly Slice[], warnings: readonly string[]): Stack {
  const sorted = slices.toSorted((a, b) => compareOrder(a.header, b.header))
  const [first] = slices
  const several = new Set(slices.map(({ file }) => file)).size > 1
  const more = several ? ['The files do not say where their images lie; they are in the order of their numbers.'] : []
  return {
    id: first === undefined ? '' : seriesId(first.file),
    frames: [sorted],
    geometry: null,
    warnings: [...warnings, ...more],
    gaps: false,
  }
}

/** Images of the same place, of all places along the normal. */
function placesOf(slices: readonly Slice[], { normal }: Orientation): Slice[][] {
  const at = (slice: Slice): number => (slice.header.position === null ? 0 : dot(slice.header.position, normal))
  const sorted = slices.map((slice) => ({ slice, mm: at(slice) })).toSorted((a, b) => a.mm - b.mm)
  const spacing = slices[0]?.header.spacing ?? [1, 1]
  const tolerance = Math.min(0.01, 0.02 * Math.min(...spacing))
  const places: { mm: number; slices: Slice[] }[] = []
  for (const { slice, mm } of sorted) {
    const last = places.at(-1)
    if (last !== undefined && mm - last.mm <= tolerance) last.slices.push(slice)
    else places.push({ mm, slices: [slice] })
  }
  return places.map((place) => place.slices.toSorted((a, b) => compareOrder(a.header, b.header)))
}

function compareOrder(a: FrameHeader, b: FrameHeader): number {
  for (const [i, value] of a.order.entries()) {
    const other = b.order[i] ?? 0
    if (value !== other) return value - other
  }
  return 0
}

/** By the first thing that tells several acquisitions in a series apart such that each fills its places evenly. */
function split(slices: readonly Slice[], orientation: Orientation): Slice[][] | null {
  const kinds: readonly (keyof FrameGroups)[] = ['acquisition', 'type', 'echo', 'time']
  for (const kind of kinds) {
    const parts = [...Map.groupBy(slices, ({ header }) => header.groups[kind]).values()]
    const even = parts.every((part) => new Set(placesOf(part, orientation).map((place) => place.length)).size === 1)
    if (parts.length > 1 && even) return parts
  }
  return null
}

function placed(places: readonly Slice[][], orientation: Orientation, warnings: readonly string[]): Stack {
  const count = places[0]?.length ?? 0
  const frames = Array.from({ length: count }, (_, frame) => places.flatMap((place) => place.slice(frame, frame + 1)))
  const [volume = []] = frames
  const found = stepsOf(
    volume.map(({ header }) => header),
    orientation,
  )
  const [first] = volume
  const inferred = volume.some(({ header }) => header.inferred)
  return {
    id: first === undefined ? '' : seriesId(first.file),
    frames,
    geometry: first === undefined ? null : { affine: affineOf(first.header, found.step), orientation },
    warnings: [
      ...warnings,
      ...found.warnings,
      ...(inferred
        ? ['The file states the place of its first slice; those of the others were worked out from it.']
        : []),
    ],
    gaps: found.gaps,
  }
}
