import type { Vec3 } from '../../core/contract/schemas.ts'
import type { PageLayout } from './layout.ts'
import { Tag } from './tags.ts'
import { millimetres } from './units.ts'

/** mm a pixel; null where the file does not say. */
export type PixelSize = readonly [x: number, y: number] | null

/** Coarser than this, resolution tags are what programs write for printing: 72 to 1200 dots an inch. */
const COARSEST_BELIEVED = 0.02

const INCH = 2
const CENTIMETRE = 3

/**
 * Pixel size by the resolution tags. Nearly every program writes them, most for printing: they are believed where they have a unit of
 * length and state at most 0.02 mm a pixel (1270 dots an inch), nearly the same in both directions.
 */
export async function resolutionOf({ directory }: PageLayout): Promise<PixelSize> {
  const unit = (await directory.number(Tag.resolutionUnit)) ?? INCH
  const mm = unit === CENTIMETRE ? 10 : unit === INCH ? 25.4 : null
  if (mm === null) return null
  const x = mm / ((await directory.number(Tag.xResolution)) ?? 0)
  const y = mm / ((await directory.number(Tag.yResolution)) ?? 0)
  const believed = isLength(x) && isLength(y) && Math.max(x, y) <= COARSEST_BELIEVED && Math.max(x / y, y / x) < 2
  return believed ? [x, y] : null
}

function isLength(value: number): boolean {
  return Number.isFinite(value) && value > 0
}

/** What ImageJ writes about a stack: "ImageJ=1.53t", then lines "name=value". */
export interface ImageJ {
  readonly images: number
  readonly channels: number
  readonly slices: number
  readonly frames: number
  /** mm; null where it does not say. */
  readonly spacing: Vec3 | null
  /** The distance of slices is stated too. */
  readonly zKnown: boolean
}

/** Reads ImageJ's description of the first page; null where it is something else or does not go with itself. */
export async function imageJOf(description: string, { directory }: PageLayout): Promise<ImageJ | null> {
  if (!description.startsWith('ImageJ=')) return null
  const values = new Map<string, string>()
  for (const line of description.slice(0, 65_536).split('\n')) {
    const at = line.indexOf('=')
    if (at > 0) values.set(line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim())
  }
  const count = (name: string): number => {
    const value = Number(values.get(name) ?? 1)
    return Number.isInteger(value) && value > 0 && value < 2 ** 31 ? value : 1
  }
  const [images, channels, frames] = [count('images'), count('channels'), count('frames')]
  // Without a word on the axes all images are slices.
  const slices = values.has('slices') ? count('slices') : Math.max(1, Math.round(images / (channels * frames)))
  if (channels * slices * frames !== images) return null
  const unit = millimetres(values.get('unit') ?? '')
  const x = (unit ?? NaN) / ((await directory.number(Tag.xResolution)) ?? 0)
  const y = (unit ?? NaN) / ((await directory.number(Tag.yResolution)) ?? 0)
  const z = (unit ?? NaN) * Math.abs(Number(values.get('spacing') ?? NaN))
  const spacing: Vec3 | null = isLength(x) && isLength(y) ? [x, y, isLength(z) ? z : x] : null
  return { images, channels, slices, frames, spacing, zKnown: isLength(z) }
}

/** Is the description that of a slide scanner by Aperio? */
export function isAperio(description: string): boolean {
  return description.startsWith('Aperio')
}

/** "… |MPP = 0.4990| …": micrometres a pixel. */
export function aperioPixelSize(description: string): PixelSize {
  const mpp = Number(/\|\s*MPP\s*=\s*([\d.]+)/.exec(description.slice(0, 65_536))?.[1] ?? NaN)
  return isLength(mpp) ? [mpp / 1000, mpp / 1000] : null
}
