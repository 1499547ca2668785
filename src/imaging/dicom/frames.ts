import type { Vec3 } from '../../core/contract/schemas.ts'
import type { Elements } from './elements.ts'
import { TAGS } from './tags.ts'

/** Where a frame lies and what its values mean. Coordinates are the file's: mm, x to the left, y to the back, z up. */
export interface FrameHeader {
  /** The centre of the first pixel. */
  readonly position: Vec3 | null
  /** Unit vectors along a row and along a column. */
  readonly orientation: Orientation | null
  /** Millimetres from column to column and from row to row. */
  readonly spacing: readonly [number, number] | null
  /** Millimetres across, of a slice that stands alone. */
  readonly thickness: number | null
  readonly slope: number
  readonly inter: number
  /** Puts frames at one place in order: time, acquisition, echo, number, place in the file. */
  readonly order: readonly number[]
  /** What may tell apart several acquisitions in one series: named parts of `order`. */
  readonly groups: FrameGroups
  /** Only the first frame's place is stated, and this one's is worked out from a distance. */
  readonly inferred: boolean
}

export interface FrameGroups {
  readonly acquisition: number
  readonly echo: number
  readonly time: number
  readonly type: string
}

export interface Orientation {
  readonly row: Vec3
  readonly column: Vec3
  readonly normal: Vec3
}

/** The headers of all frames of a file, in its order. */
export function frameHeaders(
  elements: Elements,
  count: number,
  imageType: readonly string[],
  slide: boolean,
): FrameHeader[] {
  const shared = elements.item(TAGS.sharedGroups)
  const perFrame = elements.items(TAGS.perFrameGroups)
  const projections = elements.text(TAGS.modality) === 'NM' && imageType.some((part) => PROJECTIONS.includes(part))
  const own = plainPlace(elements, count > 1 && projections)
  const steps = own.position === null || projections ? null : frameSteps(elements, count)
  const whole = {
    thickness: thicknessOf(elements),
    slope: usable(elements.decimal(TAGS.doseGridScaling)),
    echo: elements.decimal(TAGS.echoTime) ?? elements.decimal(TAGS.echoNumbers) ?? 0,
    time: elements.decimal(TAGS.temporalPosition) ?? 0,
    trigger: elements.decimal(TAGS.triggerTime) ?? 0,
    instance: elements.decimal(TAGS.instanceNumber) ?? 0,
    acquisition: elements.decimal(TAGS.acquisitionNumber) ?? 0,
    type: imageType.join('\\'),
    rescale: rescaleOf(elements),
  }
  return Array.from({ length: count }, (_, frame): FrameHeader => {
    const groups = [perFrame[frame] ?? null, shared]
    const position = slide ? null : (triple(inGroup(groups, TAGS.planePosition, TAGS.position)) ?? own.position)
    const orientation = readOrientation(inGroup(groups, TAGS.planeOrientation, TAGS.orientation)) ?? own.orientation
    const measures = inGroupItem(groups, TAGS.pixelMeasures)
    const rescale = rescaleOf(inGroupItem(groups, TAGS.pixelTransformation)) ?? whole.rescale
    const echo = inGroupItem(groups, TAGS.mrEcho)?.double(TAGS.effectiveEchoTime) ?? whole.echo
    const time = inGroupItem(groups, TAGS.frameContent)?.long(TAGS.temporalPositionIndex) ?? whole.time
    const step = frame > 0 && perFrame[frame] === undefined ? (steps?.(frame) ?? null) : null
    const inferred = step !== null && position !== null && orientation !== null
    return {
      position: inferred ? along(position, orientation.normal, step) : position,
      orientation,
      spacing: readSpacing(measures?.decimals(TAGS.pixelSpacing) ?? []) ?? own.spacing,
      thickness: thicknessOf(measures) ?? whole.thickness,
      slope: whole.slope ?? rescale?.slope ?? 1,
      inter: rescale?.inter ?? 0,
      order: [time, whole.acquisition, echo, whole.trigger, whole.instance, frame],
      groups: { acquisition: whole.acquisition, echo, time, type: whole.type },
      inferred,
    }
  })
}

function rescaleOf(elements: Elements | null): { readonly slope: number; readonly inter: number } | null {
  const slope = usable(elements?.decimal(TAGS.rescaleSlope) ?? null)
  const inter = elements?.decimal(TAGS.rescaleIntercept) ?? null
  return slope === null && inter === null ? null : { slope: slope ?? 1, inter: inter ?? 0 }
}

/** A slope of 0 would make every value the same: it means that there is none. */
function usable(slope: number | null): number | null {
  return slope === 0 ? null : slope
}

function thicknessOf(elements: Elements | null): number | null {
  const stated = [TAGS.spacingBetweenSlices, TAGS.sliceThickness].map((tag) => Math.abs(elements?.decimal(tag) ?? 0))
  return stated.find((mm) => mm > 1e-6 && mm < 1e6) ?? null
}

type Place = Pick<FrameHeader, 'position' | 'orientation' | 'spacing'>

/** Of nuclear medicine: several views of a body, not slices of it, although the file says where the camera was. */
const PROJECTIONS = ['TOMO', 'STATIC', 'DYNAMIC', 'GATED', 'WHOLE BODY', 'PROJECTION']

/** What stands in the data set itself, or, of reconstructions in nuclear medicine, of the detector. */
function plainPlace(elements: Elements, projections: boolean): Place {
  const detector = projections ? null : elements.item(TAGS.detectorInformation)
  return {
    position: triple(elements.decimals(TAGS.position)) ?? triple(detector?.decimals(TAGS.position) ?? []),
    orientation:
      readOrientation(elements.decimals(TAGS.orientation)) ??
      readOrientation(detector?.decimals(TAGS.orientation) ?? []),
    spacing:
      readSpacing(elements.decimals(TAGS.pixelSpacing)) ??
      readSpacing(elements.decimals(TAGS.imagerPixelSpacing)) ??
      ultrasoundSpacing(elements),
  }
}

/**
 * How far along the normal a frame lies from the first one, for files that state only the place of that: by the offsets of a
 * dose grid, or the distance between slices of a stack. Null for frames that are no stack: films, projections.
 */
function frameSteps(elements: Elements, count: number): ((frame: number) => number | null) | null {
  if (count === 1) return null
  const offsets = elements.decimals(TAGS.gridFrameOffsets)
  if (offsets.length === count) return (frame) => (offsets[frame] ?? NaN) - (offsets[0] ?? NaN)
  const distance = elements.decimal(TAGS.spacingBetweenSlices)
  return distance === null || distance === 0 ? null : (frame) => frame * distance
}

function along(from: Vec3, direction: Vec3, mm: number): Vec3 {
  return [from[0] + mm * direction[0], from[1] + mm * direction[1], from[2] + mm * direction[2]]
}

/** The item of a functional group, of the frame itself or shared by all. */
function inGroupItem(groups: readonly (Elements | null)[], sequence: string): Elements | null {
  for (const group of groups) {
    const item = group?.item(sequence)
    if (item !== undefined && item !== null) return item
  }
  return null
}

function inGroup(groups: readonly (Elements | null)[], sequence: string, tag: string): number[] {
  return inGroupItem(groups, sequence)?.decimals(tag) ?? []
}

function triple([x = NaN, y = NaN, z = NaN]: readonly number[]): Vec3 | null {
  return [x, y, z].every((mm) => Number.isFinite(mm) && Math.abs(mm) < 1e7) ? [x, y, z] : null
}

/** Row spacing comes first in the file. */
function readSpacing([rows = NaN, columns = NaN]: readonly number[]): readonly [number, number] | null {
  const sound = [rows, columns].every((mm) => Number.isFinite(mm) && mm > 1e-6 && mm < 1e6)
  return sound ? [columns, rows] : null
}

/** Centimetres per pixel of the one region of an ultrasound picture. */
function ultrasoundSpacing(elements: Elements): readonly [number, number] | null {
  const [region, ...others] = elements.items(TAGS.ultrasoundRegions)
  if (region === undefined || others.length > 0) return null
  const CENTIMETRES = 3
  if (region.word(TAGS.regionUnitsX) !== CENTIMETRES || region.word(TAGS.regionUnitsY) !== CENTIMETRES) return null
  const [x, y] = [region.double(TAGS.regionDeltaX), region.double(TAGS.regionDeltaY)]
  return x === null || y === null ? null : readSpacing([Math.abs(y) * 10, Math.abs(x) * 10])
}

/** Two directions as unit vectors and what is perpendicular to both; null where they are no directions. */
export function readOrientation(numbers: readonly number[]): Orientation | null {
  const row = unit(triple(numbers.slice(0, 3)))
  const column = unit(triple(numbers.slice(3, 6)))
  if (row === null || column === null || Math.abs(dot(row, column)) > 0.05) return null
  const normal = unit([
    row[1] * column[2] - row[2] * column[1],
    row[2] * column[0] - row[0] * column[2],
    row[0] * column[1] - row[1] * column[0],
  ])
  return normal === null ? null : { row, column, normal }
}

export function dot(a: Vec3, b: Vec3): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

function unit(vector: Vec3 | null): Vec3 | null {
  if (vector === null) return null
  const length = Math.hypot(...vector)
  return length < 0.5 || length > 2 ? null : [vector[0] / length, vector[1] / length, vector[2] / length]
}
