import type { Affine, Vec3 } from '../../core/contract/schemas.ts'
import {
  affineOf,
  dataPath,
  elementBytes,
  LPS_TO_RAS,
  numbersOf,
  patternNames,
  type Described,
  type ElementType,
  type Encoding,
  type FileAxis,
  type Part,
  shown,
} from '../described/index.ts'
import { badFile, fileSize } from '../files.ts'
import { isTrue, readMetaHeader, type MetaHeader } from './header.ts'

/** `MET_LONG` has 4 bytes in the format, whatever the computer. Arrays are channels by their name. */
const TYPES: Readonly<Record<string, ElementType>> = {
  ...{ MET_CHAR: 'int8', MET_UCHAR: 'uint8', MET_SHORT: 'int16', MET_USHORT: 'uint16' },
  ...{ MET_INT: 'int32', MET_UINT: 'uint32', MET_LONG: 'int32', MET_ULONG: 'uint32' },
  ...{ MET_LONG_LONG: 'int64', MET_ULONG_LONG: 'uint64', MET_FLOAT: 'float32', MET_DOUBLE: 'float64' },
}

/** MetaIO knows 10 dimensions. */
const MAX_DIMENSION = 10

/** Reads what a MetaImage header says. Throws CodedError('bad-file') with a sentence that names the file. */
export async function describeMeta(path: string): Promise<Described> {
  const header = await readMetaHeader(path)
  const { tags } = header
  const type = (tags.get('objecttype') ?? 'Image').toLowerCase()
  if (type !== 'image')
    throw badFile(path, `holds a MetaIO object that is no image (${type.slice(0, 40)}); choose an image.`)
  const dimension = Number(tags.get('ndims'))
  const sizes = numbersOf(tags.get('dimsize'))
  if (!Number.isInteger(dimension) || dimension < 1 || dimension > MAX_DIMENSION || sizes.length < dimension) {
    throw badFile(
      path,
      'does not state its dimensions in a way that can be read; get it again from where it came from.',
    )
  }
  const element = elementOf(tags.get('elementtype'), path)
  const channels = Number(tags.get('elementnumberofchannels') ?? 1)
  const axes: FileAxis[] = sizes.slice(0, dimension).map((size, axis) => ({ size, role: axis < 3 ? 'space' : 'frame' }))
  if (channels !== 1) axes.unshift({ size: channels, role: 'component' })
  const byteLength = axes.reduce((product, { size }) => product * size, elementBytes(element))
  if (!Number.isSafeInteger(byteLength) || byteLength < 1) {
    throw badFile(
      path,
      `states an impossible size (${shown(tags.get('dimsize') ?? '')}); get the file again from where it came from.`,
    )
  }
  const warnings: string[] = []
  const encoding = encodingOf(tags)
  const parts = await partsOf(header, path, sizes.slice(0, dimension), byteLength, encoding)
  return {
    ...{ path, format: 'metaimage', axes, warnings },
    components: element === 'uint8' && (channels === 3 || channels === 4) ? 'colour' : 'channels',
    samples: { parts, encoding, element, byteLength },
    littleEndian: !isTrue(tags.get('elementbyteordermsb') ?? tags.get('binarydatabyteordermsb')),
    ...geometryOf(tags, dimension, warnings),
  }
}

function elementOf(name: string | undefined, path: string): ElementType {
  const found =
    TYPES[
      (name ?? '')
        .trim()
        .toUpperCase()
        .replace(/_ARRAY$/, '')
    ]
  if (found !== undefined) return found
  const shown = (name ?? 'none').slice(0, 40)
  throw badFile(path, `holds samples of type "${shown}", which cannot be read; convert it to integers or float.`)
}

function encodingOf(tags: ReadonlyMap<string, string>): Encoding {
  if (isTrue(tags.get('compresseddata'))) return 'packed'
  return isTrue(tags.get('binarydata') ?? 'True') ? 'raw' : 'ascii'
}

async function partsOf(
  header: MetaHeader,
  path: string,
  sizes: readonly number[],
  byteLength: number,
  encoding: Encoding,
): Promise<Part[]> {
  const names = dataFiles(header, path, sizes)
  const files = names === null ? [path] : names.map((name) => dataPath(path, name))
  const each = byteLength / files.length
  if (!Number.isInteger(each)) {
    throw badFile(path, `names ${files.length} data files, among which its samples cannot be divided; get it again.`)
  }
  const skip = Number(header.tags.get('headersize') ?? 0)
  if (!Number.isSafeInteger(skip) || skip < -1) {
    throw badFile(path, 'does not say in a way that can be read where its samples begin; get it again.')
  }
  const parts: Part[] = []
  for (const file of files) {
    const begin = names === null ? header.end : 0
    // -1: the samples are the last thing in the file.
    const start = skip === -1 && encoding === 'raw' ? (await fileSize(file)) - each : begin + Math.max(0, skip)
    if (start < begin) throw badFile(file, 'is shorter than its header says; copy or download it again.')
    parts.push({ path: file, start, skip: 0 })
  }
  return parts
}

/** Names of the data files; null where the samples follow the header. */
function dataFiles({ tags, listed }: MetaHeader, path: string, sizes: readonly number[]): readonly string[] | null {
  const stated = tags.get('elementdatafile') ?? ''
  if (/^local$/i.test(stated)) return null
  const most = sizes.slice(1).reduce((product, size) => product * size, 1)
  if (/^LIST\b/.test(stated)) {
    // Lines after the last file are not read, as MetaIO does: the dimensions of a file say how many there are.
    const perFile = Number(/^LIST\s+(\d+)D?/i.exec(stated)?.[1] ?? sizes.length - 1)
    const count = sizes.slice(perFile).reduce((product, size) => product * size, 1)
    if (!(count >= 1 && count <= most && listed.length >= count)) {
      throw badFile(path, `lists ${listed.length} data files where there should be ${count}; get it again.`)
    }
    return listed.slice(0, count)
  }
  const pattern = /^(.*%.*?)\s+(-?\d+)\s+(-?\d+)(?:\s+(-?\d+))?$/.exec(stated)
  if (pattern === null) return [stated]
  return patternNames(path, pattern[1] ?? '', [Number(pattern[2]), Number(pattern[3]), Number(pattern[4] ?? 1)], most)
}

function geometryOf(
  tags: ReadonlyMap<string, string>,
  dimension: number,
  warnings: string[],
): { affine: Affine | null; spacing: Vec3; spacingKnown: boolean } {
  const stated = numbersOf(tags.get('elementspacing') ?? tags.get('elementsize'))
  const spatial = Math.min(dimension, 3)
  const lengths = Array.from({ length: spatial }, (_, axis) => Math.abs(stated[axis] ?? NaN))
  const spacingKnown = lengths.every((length) => Number.isFinite(length) && length > 0)
  if (!spacingKnown) warnings.push('The voxel size is not stated in full; 1 mm is assumed where it is missing.')
  const at = (axis: number): number => {
    const length = lengths[axis] ?? 1
    return Number.isFinite(length) && length > 0 ? length : 1
  }
  const spacing: Vec3 = [at(0), at(1), at(2)]
  const matrix = numbersOf(tags.get('transformmatrix') ?? tags.get('rotation') ?? tags.get('orientation'))
  const offset = numbersOf(tags.get('offset') ?? tags.get('position') ?? tags.get('origin'))
  const directed = matrix.length >= dimension * dimension
  if (!directed && offset.length === 0) {
    const letters = tags.get('anatomicalorientation') ?? ''
    // The three letters alone say which way up, but not where: other programs pass over them too.
    if (!/^[RLAPSI]{3}$/i.test(letters)) {
      warnings.push('The header states no orientation.')
      return { affine: null, spacing, spacingKnown }
    }
  }
  // The rows of the matrix are the directions of the voxel axes.
  const direction = (axis: number): number[] =>
    [0, 1, 2].map((world) => {
      const value = directed && axis < dimension && world < dimension ? matrix[axis * dimension + world] : undefined
      return (value ?? (axis === world ? 1 : 0)) * at(axis)
    })
  const directions = [0, 1, 2].map(direction)
  const found = affineOf({ directions, origin: offset, signs: LPS_TO_RAS, mm: 1 })
  if (found !== null) return { affine: found.affine, spacing, spacingKnown }
  warnings.push('The orientation in the header is not usable and was passed over.')
  return { affine: null, spacing, spacingKnown }
}
