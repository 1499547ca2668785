import type { Affine, Vec3 } from '../../core/contract/schemas.ts'
import {
  affineOf,
  elementBytes,
  LPS_TO_RAS,
  numbersOf,
  type Components,
  type Described,
  type ElementType,
  type FileAxis,
  shown,
} from '../described/index.ts'
import { badFile } from '../files.ts'
import { encodingOf, nrrdParts } from './data.ts'
import { readNrrdHeader, vectorsOf, wordsOf, type NrrdHeader } from './header.ts'

/** The names of the format's definition, spaces and all. */
const TYPES: readonly (readonly [ElementType, readonly string[]])[] = [
  ['int8', ['signed char', 'int8', 'int8_t']],
  ['uint8', ['uchar', 'unsigned char', 'uint8', 'uint8_t']],
  ['int16', ['short', 'short int', 'signed short', 'signed short int', 'int16', 'int16_t']],
  ['uint16', ['ushort', 'unsigned short', 'unsigned short int', 'uint16', 'uint16_t']],
  ['int32', ['int', 'signed int', 'int32', 'int32_t']],
  ['uint32', ['uint', 'unsigned int', 'uint32', 'uint32_t']],
  ['int64', ['longlong', 'long long', 'long long int', 'signed long long', 'signed long long int', 'int64', 'int64_t']],
  ['uint64', ['ulonglong', 'unsigned long long', 'unsigned long long int', 'uint64', 'uint64_t']],
  ['float32', ['float']],
  ['float64', ['double']],
]

/** NRRD knows 16 dimensions. */
const MAX_DIMENSION = 16

const SPACES: Readonly<Record<string, Vec3>> = {
  ...{ 'right-anterior-superior': [1, 1, 1], ras: [1, 1, 1] },
  ...{ 'left-anterior-superior': [-1, 1, 1], las: [-1, 1, 1] },
  ...{ 'left-posterior-superior': LPS_TO_RAS, lps: LPS_TO_RAS },
}

const UNITS: Readonly<Record<string, number>> = {
  ...{ mm: 1, millimeter: 1, millimeters: 1, millimetre: 1 },
  ...{ um: 1e-3, µm: 1e-3, μm: 1e-3, micron: 1e-3, microns: 1e-3, micrometer: 1e-3, nm: 1e-6, cm: 10, m: 1000 },
}

/** Reads what a NRRD header says. Throws CodedError('bad-file') with a sentence that names the file. */
export async function describeNrrd(path: string): Promise<Described> {
  const header = await readNrrdHeader(path)
  const { fields } = header
  const element = elementOf(fields.get('type'), path)
  const sizes = numbersOf(fields.get('sizes'))
  const dimension = Number(fields.get('dimension'))
  if (!Number.isInteger(dimension) || dimension < 1 || dimension > MAX_DIMENSION || sizes.length !== dimension) {
    throw badFile(
      path,
      'does not state its dimensions in a way that can be read; get it again from where it came from.',
    )
  }
  const warnings: string[] = []
  const axes = axesOf(header, sizes)
  const encoding = encodingOf(fields.get('encoding'), path)
  const byteLength = sizes.reduce((product, size) => product * size, elementBytes(element))
  if (!Number.isSafeInteger(byteLength) || byteLength < 1) {
    throw badFile(
      path,
      `states an impossible size (${shown(fields.get('sizes') ?? '')}); get it again from where it came from.`,
    )
  }
  const endian = fields.get('endian')?.toLowerCase()
  if (endian === undefined && elementBytes(element) > 1 && (encoding === 'raw' || encoding === 'packed')) {
    warnings.push('The header does not state the byte order; little-endian is assumed.')
  }
  return {
    path,
    format: 'nrrd',
    axes: axes.map(({ size, role }) => ({ size, role })),
    components: componentsOf(axes, element),
    samples: { parts: await nrrdParts(header, path, { sizes, byteLength, encoding }), encoding, element, byteLength },
    littleEndian: endian !== 'big',
    ...geometryOf(header, axes, warnings),
    warnings,
  }
}

function elementOf(name: string | undefined, path: string): ElementType {
  const wanted = name?.toLowerCase().replace(/\s+/g, ' ') ?? ''
  const found = TYPES.find(([, names]) => names.includes(wanted))
  if (found !== undefined) return found[0]
  throw badFile(
    path,
    `holds samples of type "${wanted.slice(0, 40)}", which cannot be read; convert it to integers or float.`,
  )
}

interface NrrdAxis extends FileAxis {
  readonly kind: string
  /** Of the step between neighbours, where the file says it. */
  readonly direction: readonly number[] | null
  readonly spacing: number | null
  readonly unit: number
}

function axesOf({ fields }: NrrdHeader, sizes: readonly number[]): NrrdAxis[] {
  const kinds = wordsOf(fields.get('kinds')).map((kind) => kind.toLowerCase())
  const directions = vectorsOf(fields.get('spacedirections'))
  const oriented = directions.some((direction) => direction !== null)
  const spacings = numbersOf(fields.get('spacings'))
  const units = wordsOf(fields.get('units'))
  const [mins, maxs] = [numbersOf(fields.get('axismins')), numbersOf(fields.get('axismaxs'))]
  const centers =
    wordsOf(fields.get('centers')).length > 0 ? wordsOf(fields.get('centers')) : wordsOf(fields.get('centerings'))
  return sizes.map((size, i): NrrdAxis => {
    const kind = kinds[i] ?? ''
    const direction = directions[i] ?? null
    const stated = spacings[i] ?? NaN
    const extent = Math.abs((maxs[i] ?? NaN) - (mins[i] ?? NaN))
    const fromExtent = extent / (centers[i] === 'node' ? size - 1 : size)
    const length = [Math.abs(stated), fromExtent].find((value) => Number.isFinite(value) && value > 0) ?? null
    const inRoom = oriented ? direction !== null : isSpatial(kind, { size, stated, at: i, sizes, spacings })
    const role = inRoom ? 'space' : isComponent(kind) ? 'component' : 'frame'
    return { size, role, kind, direction, spacing: length, unit: UNITS[units[i]?.toLowerCase() ?? ''] ?? 1 }
  })
}

/** Where there are no directions: what the axis is called, else whether it has a distance, else its place. */
function isSpatial(
  kind: string,
  {
    size,
    stated,
    at,
    sizes,
    spacings,
  }: {
    size: number
    stated: number
    at: number
    sizes: readonly number[]
    spacings: readonly number[]
  },
): boolean {
  if (kind === 'domain' || kind === 'space') return true
  if (kind !== '' && kind !== '???' && kind !== 'none') return false
  if (spacings.some(Number.isFinite)) return Number.isFinite(stated)
  // A picture without a word about its axes has its colours first.
  if (sizes.length === 3 && at === 0 && (size === 3 || size === 4) && (sizes[1] ?? 0) > 4 && (sizes[2] ?? 0) > 4)
    return false
  return at < 3 || sizes.length === 3
}

function isComponent(kind: string): boolean {
  return kind !== '' && !['list', 'time', 'point', 'domain', 'space', '???', 'none', 'stub', 'scalar'].includes(kind)
}

function componentsOf(axes: readonly NrrdAxis[], element: ElementType): Components {
  const axis = axes.find(({ role, size }) => role === 'component' && size > 1)
  if (axis?.kind === 'complex' && axis.size === 2 && element.startsWith('float')) return 'complex'
  const vector = axis !== undefined && (axis.kind.endsWith('color') || axis.kind.endsWith('vector'))
  return vector && (axis.size === 3 || axis.size === 4) && element === 'uint8' ? 'colour' : 'channels'
}

function geometryOf(
  { fields }: NrrdHeader,
  axes: readonly NrrdAxis[],
  warnings: string[],
): { affine: Affine | null; spacing: Vec3; spacingKnown: boolean } {
  const space = axes.filter(({ role }) => role === 'space').slice(0, 3)
  const directions = space.map(({ direction }) => direction)
  const name = fields
    .get('space')
    ?.toLowerCase()
    .replace(/-time$/, '')
    .replace(/^(ras|las|lps)t$/, '$1')
  const signs = SPACES[name ?? '']
  const worldUnit = UNITS[wordsOf(fields.get('spaceunits'))[0]?.toLowerCase() ?? ''] ?? 1
  const known = directions.filter((direction) => direction !== null)
  if (known.length === space.length && known.length >= 2 && known.every(({ length }) => length >= 3)) {
    if (signs === undefined) {
      warnings.push('The header does not name the directions of its space; left, posterior and superior are assumed.')
    }
    const origin = vectorsOf(fields.get('spaceorigin'))[0] ?? []
    const found = affineOf({ directions: known, origin, signs: signs ?? LPS_TO_RAS, mm: worldUnit })
    if (found !== null) return { ...found, spacingKnown: true }
    warnings.push('The orientation in the header is not usable and was passed over.')
  } else warnings.push('The header states no orientation.')
  const lengths = space.map(({ direction, spacing, unit }) => {
    const length = direction === null ? NaN : Math.hypot(...direction) * worldUnit
    return Number.isFinite(length) && length > 0 ? length : spacing === null ? null : spacing * unit
  })
  const spacingKnown = lengths.every((length) => length !== null)
  if (!spacingKnown) warnings.push('The voxel size is not stated in full; 1 mm is assumed where it is missing.')
  return { affine: null, spacing: [lengths[0] ?? 1, lengths[1] ?? 1, lengths[2] ?? 1], spacingKnown }
}
