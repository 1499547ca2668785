import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import { writeVolume } from '../../imaging/index.ts'
import { tiffBytes } from '../../imaging/testing/tiff.ts'
import { DIMS, LPS, temporaryFolder, volumeData } from './fixtures.ts'

/** Bytes of an uncompressed NIfTI-1 file of the usual test volume. */
async function niftiBytes(seed: number): Promise<Buffer> {
  const path = join(temporaryFolder(), 'plain.nii')
  await writeVolume(path, { dims: DIMS, affine: LPS, data: volumeData(DIMS, seed) })
  return readFileSync(path)
}

/** The usual test volume as a pair: the path of its header, in a folder with its voxels. */
export async function writePair(folder: string, name: string, seed = 0): Promise<string> {
  const bytes = await niftiBytes(seed)
  const offset = bytes.readFloatLE(108)
  const header = Buffer.from(bytes.subarray(0, 352))
  header.writeFloatLE(0, 108)
  header.write('ni1\0', 344, 'latin1')
  writeFileSync(join(folder, `${name}.hdr`), header)
  writeFileSync(join(folder, `${name}.img`), bytes.subarray(offset))
  return join(folder, `${name}.hdr`)
}

/** The slices of the usual test volume as five volumes of one slice, along the fourth axis. */
export async function writeFrames(path: string, seed = 0): Promise<string> {
  const bytes = await niftiBytes(seed)
  for (const [i, value] of [4, DIMS[0], DIMS[1], 1, DIMS[2]].entries()) bytes.writeInt16LE(value, 40 + 2 * i)
  writeFileSync(path, bytes)
  return path
}

/** The usual test volume, whose qform says that it lies elsewhere: by so many mm to the left, or turned. */
export async function writeTwoForms(path: string, options: { shift?: number; turned?: boolean } = {}): Promise<string> {
  const { shift = 0, turned = false } = options
  const bytes = await niftiBytes(0)
  // qform_code and sform_code: scanner.
  bytes.writeInt16LE(1, 252)
  bytes.writeInt16LE(1, 254)
  bytes.writeFloatLE(bytes.readFloatLE(268) + shift, 268)
  if (turned) {
    // A quarter turn about x: quaternion (cos 45°, sin 45°, 0, 0), so that slices across y are axial.
    for (const [i, value] of [Math.SQRT1_2, 0, 0].entries()) bytes.writeFloatLE(value, 256 + 4 * i)
  }
  writeFileSync(path, bytes)
  return path
}

/** The usual test volume as a NRRD header with its voxels beside it. */
export function writeNrrd(folder: string, name: string): string {
  const header = [
    'NRRD0004',
    'type: short',
    'dimension: 3',
    `sizes: ${DIMS.join(' ')}`,
    'encoding: raw',
    'endian: little',
    'space: left-posterior-superior',
    'space directions: (1,0,0) (0,1,0) (0,0,2)',
    'space origin: (0,0,0)',
    `data file: ${name}.raw`,
  ]
  writeFileSync(join(folder, `${name}.raw`), volumeData(DIMS))
  writeFileSync(join(folder, `${name}.nhdr`), `${header.join('\n')}\n\n`)
  return join(folder, `${name}.nhdr`)
}

/** The usual test volume as a MetaImage header with its voxels beside it. */
export function writeMeta(folder: string, name: string): string {
  const header = [
    'ObjectType = Image',
    'NDims = 3',
    `DimSize = ${DIMS.join(' ')}`,
    'ElementType = MET_SHORT',
    'ElementSpacing = 1 1 2',
    'BinaryData = True',
    'BinaryDataByteOrderMSB = False',
    `ElementDataFile = ${name}.raw`,
  ]
  writeFileSync(join(folder, `${name}.raw`), volumeData(DIMS))
  writeFileSync(join(folder, `${name}.mhd`), `${header.join('\n')}\n`)
  return join(folder, `${name}.mhd`)
}

/** The usual test volume as a TIFF of one page a slice. */
export function writeStack(folder: string, name: string): string {
  const [width, height, slices] = DIMS
  const data = Uint16Array.from(volumeData(DIMS))
  const pages = Array.from({ length: slices }, (_, z) => ({ width, height, data: data.slice(z * 48, (z + 1) * 48) }))
  writeFileSync(join(folder, `${name}.tif`), tiffBytes(pages))
  return join(folder, `${name}.tif`)
}

/** A number for UIDs that is the same for the same text. */
function uid(text: string): string {
  let hash = 7
  for (const byte of Buffer.from(text)) hash = (hash * 31 + byte) % 1_000_000_007
  return `1.2.826.0.1.3680043.8.498.${hash}`
}

type Value = string | number | Buffer

/** One element in explicit little endian. */
function element(tag: number, vr: string, value: Value): Buffer {
  const raw = typeof value === 'string' ? Buffer.from(value, 'latin1') : value
  let data: Buffer
  if (typeof raw === 'number') {
    data = Buffer.alloc(vr === 'UL' ? 4 : 2)
    if (vr === 'UL') data.writeUInt32LE(raw)
    else data.writeUInt16LE(raw)
  } else data = raw.length % 2 === 0 ? raw : Buffer.concat([raw, Buffer.from(vr === 'UI' || vr === 'OB' ? '\0' : ' ')])
  const long = vr === 'OB' || vr === 'OW'
  const head = Buffer.alloc(long ? 12 : 8)
  head.writeUInt16LE(tag >>> 16, 0)
  head.writeUInt16LE(tag & 0xffff, 2)
  head.write(vr, 4, 'latin1')
  if (long) head.writeUInt32LE(data.length, 8)
  else head.writeUInt16LE(data.length, 6)
  return Buffer.concat([head, data])
}

/**
 * A CT series of one slice a file, 8 x 6 pixels, slices 2 mm apart; names say nothing of their order. Gives the paths, from the
 * lowest slice up. `missing` slices are left out.
 */
export function writeSeries(
  folder: string,
  options: { description?: string; slices?: number; seed?: number; missing?: readonly number[]; prefix?: string } = {},
): string[] {
  const { description = 'Abdomen', slices = 5, seed = 0, missing = [], prefix = 'IM' } = options
  mkdirSync(folder, { recursive: true })
  const data = volumeData([8, 6, slices], seed)
  const series = uid(`${description} ${seed}`)
  const paths: string[] = []
  for (let z = 0; z < slices; z++) {
    if (missing.includes(z)) continue
    const instance = uid(`${series} ${z}`)
    const meta = Buffer.concat([
      element(0x00020001, 'OB', Buffer.of(0, 1)),
      element(0x00020002, 'UI', '1.2.840.10008.5.1.4.1.1.2'),
      element(0x00020003, 'UI', instance),
      element(0x00020010, 'UI', '1.2.840.10008.1.2.1'),
    ])
    const pixels = Buffer.from(data.buffer, z * 96, 96)
    const bytes = Buffer.concat([
      Buffer.alloc(128),
      Buffer.from('DICM'),
      element(0x00020000, 'UL', meta.length),
      meta,
      element(0x00080016, 'UI', '1.2.840.10008.5.1.4.1.1.2'),
      element(0x00080018, 'UI', instance),
      element(0x00080060, 'CS', 'CT'),
      element(0x0008103e, 'LO', description),
      element(0x0020000d, 'UI', uid('study')),
      element(0x0020000e, 'UI', series),
      element(0x00200011, 'IS', '3'),
      element(0x00200013, 'IS', String(z + 1)),
      element(0x00200032, 'DS', `0\\0\\${2 * z}`),
      element(0x00200037, 'DS', '1\\0\\0\\0\\1\\0'),
      element(0x00280002, 'US', 1),
      element(0x00280004, 'CS', 'MONOCHROME2'),
      element(0x00280010, 'US', 6),
      element(0x00280011, 'US', 8),
      element(0x00280030, 'DS', '1\\1'),
      element(0x00280100, 'US', 16),
      element(0x00280101, 'US', 16),
      element(0x00280102, 'US', 15),
      element(0x00280103, 'US', 1),
      element(0x00281052, 'DS', '0'),
      element(0x00281053, 'DS', '1'),
      element(0x7fe00010, 'OW', pixels),
    ])
    const path = join(folder, `${prefix}${String((z * 3 + 2) % 7)}`)
    writeFileSync(path, bytes)
    paths.push(path)
  }
  return paths
}

/** Above the limit of what is opened as a whole; a file of some KiB, since all of its strips are the same. */
export const LARGE = { width: 9000, height: 7680 }
const STRIP_ROWS = 256

/** A grey TIFF of 69 million pixels: brightness grows from left to right, 0 to 255, again and again each 256 columns. */
export function writeLargeTiff(path: string): string {
  const { width, height } = LARGE
  const row = Buffer.from(Uint8Array.from({ length: width }, (_, x) => x % 256))
  const strip = deflateSync(Buffer.concat(Array.from({ length: STRIP_ROWS }, () => row)))
  const strips = height / STRIP_ROWS
  const entries: [tag: number, type: number, count: number, value: number][] = [
    [256, 4, 1, width],
    [257, 4, 1, height],
    [258, 3, 1, 8],
    [259, 3, 1, 8],
    [262, 3, 1, 1],
    [273, 4, strips, 0],
    [277, 3, 1, 1],
    [278, 4, 1, STRIP_ROWS],
    [279, 4, strips, 0],
  ]
  const directory = Buffer.alloc(2 + 12 * entries.length + 4)
  const offsets = 8 + directory.length
  const counts = offsets + 4 * strips
  const pixels = counts + 4 * strips
  directory.writeUInt16LE(entries.length)
  for (const [i, [tag, type, count, value]] of entries.entries()) {
    const at = 2 + 12 * i
    directory.writeUInt16LE(tag, at)
    directory.writeUInt16LE(type, at + 2)
    directory.writeUInt32LE(count, at + 4)
    directory.writeUInt32LE(tag === 273 ? offsets : tag === 279 ? counts : value, at + 8)
  }
  const tables = Buffer.alloc(8 * strips)
  for (let i = 0; i < strips; i++) {
    tables.writeUInt32LE(pixels, 4 * i)
    tables.writeUInt32LE(strip.length, 4 * (strips + i))
  }
  writeFileSync(path, Buffer.concat([Buffer.of(0x49, 0x49, 42, 0, 8, 0, 0, 0), directory, tables, strip]))
  return path
}
