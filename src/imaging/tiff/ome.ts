import { XMLParser } from 'fast-xml-parser'
import type { Vec3 } from '../../core/contract/schemas.ts'
import { decodeEntities, millimetres } from './units.ts'

/** One stretch of planes that lie in consecutive pages of a file. */
export interface OmePlanes {
  /** Counted in the order of the dimensions, the third fastest. */
  readonly plane: number
  readonly count: number
  /** Page of the first of them. */
  readonly page: number
  /** Another file, by its name; null for this one. */
  readonly file: string | null
}

/** What OME-XML says of the first image of a file. */
export interface Ome {
  readonly sizeX: number
  readonly sizeY: number
  readonly sizeZ: number
  readonly sizeT: number
  /** Channels in pages of their own: of colour pictures one. */
  readonly sizeC: number
  /** Of Z, C and T, how many planes a step of each is. */
  readonly steps: { readonly z: number; readonly c: number; readonly t: number }
  readonly spacing: Vec3 | null
  readonly zKnown: boolean
  readonly channelNames: readonly string[]
  readonly planes: readonly OmePlanes[]
  readonly images: number
}

/** The metadata are in another file, which this one names. */
export interface OmeElsewhere {
  readonly elsewhere: string
}

const MOST_XML = 2 ** 23
/** The parser takes ever longer for the attributes of one element. */
const LONG_TAG = /<[^<>]{32768}/
/** Planes that metadata may claim. */
const MOST_PLANES = 2 ** 24

/** Could the description be OME-XML? */
export function isOme(description: string): boolean {
  return /<(\w+:)?OME\b/.test(description.slice(0, 4096))
}

type Node = Readonly<Record<string, unknown>>

/** Reads OME-XML; null where it is damaged, too long or contradicts itself. */
export function parseOme(xml: string): Ome | OmeElsewhere | null {
  if (xml.length > MOST_XML || LONG_TAG.test(xml)) return null
  let root: unknown
  try {
    root = new XMLParser({
      ignoreAttributes: false,
      attributeNamePrefix: '@',
      removeNSPrefix: true,
      parseAttributeValue: false,
      parseTagValue: false,
      // A document cannot define what its words stand for.
      processEntities: false,
    }).parse(xml)
  } catch {
    return null
  }
  const ome = children(root, 'OME')[0]
  if (ome === undefined) return null
  const companion = children(ome, 'BinaryOnly')[0]
  if (companion !== undefined) return { elsewhere: attribute(companion, 'MetadataFile') ?? 'another file' }
  const images = children(ome, 'Image')
  const pixels = children(images[0], 'Pixels')[0]
  return pixels === undefined ? null : ofPixels(pixels, images.length)
}

function ofPixels(pixels: Node, images: number): Ome | null {
  const size = (name: string): number => Number(attribute(pixels, `Size${name}`) ?? 1)
  const [sizeX, sizeY, sizeZ, sizeC, sizeT] = [size('X'), size('Y'), size('Z'), size('C'), size('T')]
  const sizes = [sizeX, sizeY, sizeZ, sizeC, sizeT]
  if (!sizes.every((value) => Number.isInteger(value) && value > 0 && value < 2 ** 31)) return null
  const channels = children(pixels, 'Channel')
  const samples = Number(attribute(channels[0], 'SamplesPerPixel') ?? 1)
  const pages = Number.isInteger(samples) && samples > 1 && sizeC % samples === 0 ? sizeC / samples : sizeC
  const order = attribute(pixels, 'DimensionOrder') ?? 'XYZCT'
  if (!/^XY(ZCT|ZTC|CZT|CTZ|TZC|TCZ)$/.test(order) || sizeZ * pages * sizeT > MOST_PLANES) return null
  const steps = { z: 0, c: 0, t: 0 }
  let step = 1
  for (const axis of order.slice(2)) {
    if (axis === 'Z') steps.z = step
    if (axis === 'C') steps.c = step
    if (axis === 'T') steps.t = step
    step *= axis === 'Z' ? sizeZ : axis === 'C' ? pages : sizeT
  }
  const x = lengthOf(pixels, 'X')
  const y = lengthOf(pixels, 'Y')
  const z = lengthOf(pixels, 'Z')
  return {
    sizeX,
    sizeY,
    sizeZ,
    sizeT,
    sizeC: pages,
    steps,
    spacing: x !== null && y !== null ? [x, y, z ?? x] : null,
    zKnown: z !== null,
    channelNames: channelNames(channels, pages),
    planes: planesOf(pixels, steps, samples > 1 ? samples : 1, sizeZ * pages * sizeT),
    images,
  }
}

/** Empty where no channel has a name. */
function channelNames(channels: readonly Node[], count: number): string[] {
  const names = channels.slice(0, count).map((channel) => decodeEntities(attribute(channel, 'Name') ?? '').trim())
  if (!names.some((name) => name !== '') || count > 1024) return []
  return Array.from({ length: count }, (_, i) => names[i] ?? '')
}

function planesOf(pixels: Node, steps: Ome['steps'], samples: number, total: number): OmePlanes[] {
  const planes: OmePlanes[] = []
  for (const data of children(pixels, 'TiffData')) {
    const number = (name: string): number | null => {
      const value = Number(attribute(data, name) ?? NaN)
      return Number.isInteger(value) && value >= 0 ? value : null
    }
    const [z, t, c] = [number('FirstZ') ?? 0, number('FirstT') ?? 0, Math.floor((number('FirstC') ?? 0) / samples)]
    const page = number('IFD')
    const uuid = children(data, 'UUID')[0]
    planes.push({
      plane: z * steps.z + t * steps.t + c * steps.c,
      // A stretch without a page begins with the first; without a length it has one plane, or all there are.
      count: Math.min(total, number('PlaneCount') ?? (page === null ? total : 1)),
      page: page ?? 0,
      file: uuid === undefined ? null : decodeEntities(attribute(uuid, 'FileName') ?? '') || null,
    })
  }
  return planes.length > 0 ? planes : [{ plane: 0, count: total, page: 0, file: null }]
}

/** mm; null where it does not say, or in pixels. */
function lengthOf(pixels: Node, axis: string): number | null {
  const mm = millimetres(attribute(pixels, `PhysicalSize${axis}Unit`) ?? 'µm')
  const value = Number(attribute(pixels, `PhysicalSize${axis}`) ?? NaN) * (mm ?? NaN)
  return Number.isFinite(value) && value > 0 ? value : null
}

function children(node: unknown, name: string): Node[] {
  if (typeof node !== 'object' || node === null || !Object.hasOwn(node, name)) return []
  const found: unknown = (node as Node)[name]
  const list: unknown[] = Array.isArray(found) ? found : [found]
  // An element without attributes and content is an empty text.
  return list.map((child) => (typeof child === 'object' && child !== null ? (child as Node) : {}))
}

function attribute(node: Node | undefined, name: string): string | null {
  const value = node?.[`@${name}`]
  return typeof value === 'string' ? value : null
}
