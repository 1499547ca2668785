import { badFile } from '../files.ts'
import type { VoxelType } from '../../core/contract/schemas.ts'
import type { Directory } from './directory.ts'
import type { FileSource } from './source.ts'
import { Compression, Photometric, Tag } from './tags.ts'

/** How the samples of a page lie in the file and what they mean. */
export interface PageLayout {
  readonly directory: Directory
  readonly little: boolean
  readonly width: number
  readonly height: number
  readonly bits: number
  readonly format: 'uint' | 'int' | 'float'
  readonly samples: number
  /** Each sample in tiles or strips of its own. */
  readonly planar: boolean
  readonly photometric: number
  readonly compression: number
  readonly predictor: number
  /** The lowest bit of a byte comes first. */
  readonly reversedBits: boolean
  readonly orientation: number
  readonly tiled: boolean
  readonly blockWidth: number
  readonly blockHeight: number
  readonly across: number
  readonly down: number
  /** Pixels a chroma sample spans, where luma and chroma are stored apart without JPEG. */
  readonly subsampling: readonly [number, number]
  /** What one sample becomes in memory. */
  readonly sampleType: VoxelType
  /** Red, green and blue (also by a palette or by conversion), or values. */
  readonly colour: boolean
  /** Grey values, one of which can be chosen: 1 for colour. */
  readonly channels: number
}

const MOST_SAMPLES = 4096

/** Reads and checks the tags that say how a page is stored. Throws CodedError('bad-file'). */
export async function readLayout(source: FileSource, directory: Directory): Promise<PageLayout> {
  const { path } = source
  const damaged = (): Error => badFile(path, 'is damaged; export it again from where it came from.')
  const number = async (tag: number, otherwise: number): Promise<number> => (await directory.number(tag)) ?? otherwise
  const width = await number(Tag.imageWidth, 0)
  const height = await number(Tag.imageLength, 0)
  if (!isSize(width) || !isSize(height)) throw damaged()
  const samples = await number(Tag.samplesPerPixel, 1)
  if (!Number.isInteger(samples) || samples < 1) throw damaged()
  if (samples > MOST_SAMPLES) throw badFile(path, `has ${samples} samples a pixel; export fewer channels.`)
  const bits = await sameOfAll(directory, Tag.bitsPerSample, samples, 1)
  const code = await sameOfAll(directory, Tag.sampleFormat, samples, 1)
  if (bits === null || code === null) {
    throw badFile(path, 'has samples of different types; export it with one type for all channels.')
  }
  const format = code === 2 ? 'int' : code === 3 ? 'float' : 'uint'
  const sampleType = code === 5 || code === 6 ? null : typeOfSamples(bits, format)
  if (sampleType === null) {
    const what = code >= 5 ? 'complex numbers' : `${bits}-bit ${format === 'float' ? 'floating-point ' : ''}samples`
    throw badFile(path, `holds ${what}, which cannot be shown; save it with 16 or 32 bits a sample.`)
  }
  const photometric = await number(Tag.photometric, samples >= 3 ? Photometric.rgb : Photometric.minIsBlack)
  const compression = await number(Tag.compression, Compression.none)
  const tiled = directory.has(Tag.tileOffsets) || (directory.has(Tag.tileWidth) && !directory.has(Tag.stripOffsets))
  const blockWidth = tiled ? await number(Tag.tileWidth, 0) : width
  const rows = Math.min(await number(Tag.rowsPerStrip, height), height)
  const blockHeight = tiled ? await number(Tag.tileLength, 0) : rows === 0 ? height : rows
  if (!isSize(blockWidth) || !isSize(blockHeight)) throw damaged()
  if (!directory.has(tiled ? Tag.tileOffsets : Tag.stripOffsets) && !directory.has(Tag.jpegInterchangeFormat)) {
    throw badFile(path, 'says nothing of where its samples are; export it again from where it came from.')
  }
  const orientation = await number(Tag.orientation, 1)
  const extra = await directory.numbers(Tag.extraSamples, samples)
  const colour = isColour(photometric, samples) && format === 'uint' && bits <= 16
  const subsampling = await directory.numbers(Tag.yCbCrSubSampling, 2)
  return {
    directory,
    little: directory.little,
    width,
    height,
    bits,
    format,
    samples,
    planar: samples > 1 && (await number(Tag.planarConfiguration, 1)) === 2,
    photometric,
    compression,
    predictor: await number(Tag.predictor, 1),
    reversedBits: (await number(Tag.fillOrder, 1)) === 2,
    orientation: orientation >= 1 && orientation <= 8 ? orientation : 1,
    tiled,
    blockWidth,
    blockHeight,
    across: Math.ceil(width / blockWidth),
    down: Math.ceil(height / blockHeight),
    subsampling: [subsampling[0] ?? 2, subsampling[1] ?? 2],
    sampleType,
    colour,
    channels: colour ? 1 : Math.max(1, samples - alphaSamples(extra)),
  }
}

function isSize(value: number): boolean {
  return Number.isInteger(value) && value > 0 && value < 2 ** 31
}

/** Photometric interpretations that become red, green and blue. */
function isColour(photometric: number, samples: number): boolean {
  if (photometric === Photometric.palette) return true
  const { rgb, cmyk, yCbCr, cieLab, iccLab, ituLab } = Photometric
  return samples >= 3 && [rgb, cmyk, yCbCr, cieLab, iccLab, ituLab].includes(photometric as 2)
}

/** Samples at the end that say how opaque a pixel is. */
function alphaSamples(extra: Float64Array): number {
  return extra.filter((kind) => kind === 1 || kind === 2).length
}

/** The one value that a tag has for every sample; null where they differ. */
async function sameOfAll(
  directory: Directory,
  tag: number,
  samples: number,
  otherwise: number,
): Promise<number | null> {
  const values = await directory.numbers(tag, samples)
  const first = values[0] ?? otherwise
  return values.every((value) => value === first) ? first : null
}

/** What samples of so many bits become; null for what cannot be held. */
function typeOfSamples(bits: number, format: PageLayout['format']): VoxelType | null {
  if (format === 'float') return bits === 16 || bits === 32 ? 'float32' : bits === 64 ? 'float64' : null
  if (!Number.isInteger(bits) || bits < 1) return null
  if (bits === 64) return 'float64'
  if (bits > 32) return null
  if (format === 'int') return bits === 8 ? 'int8' : bits === 16 ? 'int16' : bits === 32 ? 'int32' : null
  return bits <= 8 ? 'uint8' : bits <= 16 ? 'uint16' : 'uint32'
}

/** The type as it is called in `info`: that of the file, whole bytes. */
export function datatypeName({ format, bits, sampleType }: PageLayout): string {
  if (format === 'float') return `float${bits}`
  return bits === 64 ? `${format}64` : sampleType
}

/** What two pages have in common if they are slices of one volume. */
export function pageKey(layout: PageLayout): string {
  const { width, height, bits, format, samples, photometric, orientation } = layout
  return [width, height, bits, format, samples, photometric, orientation].join()
}
