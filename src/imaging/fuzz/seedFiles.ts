import { deflateSync, gzipSync } from 'node:zlib'

/**
 * Sound little files, byte by byte from the formats' own documents and by none of the code that reads them: 12 x 10 x 4 voxels or
 * 24 x 20 pixels.
 */

const NX = 12
const NY = 10
const NZ = 4

/** Bits per voxel by NIfTI code. */
const BITS: Readonly<Record<number, number>> = {
  2: 8,
  4: 16,
  8: 32,
  16: 32,
  32: 64,
  64: 64,
  128: 24,
  256: 8,
  512: 16,
  768: 32,
  1024: 64,
  1280: 64,
  1792: 128,
  2304: 32,
}

interface NiftiOptions {
  readonly code: number
  readonly version?: 1 | 2
  readonly littleEndian: boolean
  readonly scaled?: boolean
}

export function nifti(options: NiftiOptions): Buffer {
  return Buffer.concat([niftiHeader(options, false), ramp((NX * NY * NZ * bitsOf(options.code)) / 8)])
}

nifti.pair = (options: NiftiOptions): { header: Buffer; voxels: Buffer } => ({
  header: niftiHeader(options, true),
  voxels: ramp((NX * NY * NZ * bitsOf(options.code)) / 8),
})

function bitsOf(code: number): number {
  return BITS[code] ?? 8
}

function niftiHeader({ code, version = 1, littleEndian: le, scaled = true }: NiftiOptions, pair: boolean): Buffer {
  const bytes = Buffer.alloc(version === 1 ? (pair ? 348 : 352) : 544)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const dims = [3, NX, NY, NZ, 1, 1, 1, 1]
  const rows = [-1, 0, 0, 5, 0, 1.5, 0.25, -3, 0, -0.25, 2, 7]
  if (version === 1) {
    view.setInt32(0, 348, le)
    dims.forEach((extent, i) => view.setInt16(40 + 2 * i, extent, le))
    view.setInt16(70, code, le)
    view.setInt16(72, bitsOf(code), le)
    ;[-1, 1, 1.52, 2.02, 1, 1, 1, 1].forEach((step, i) => view.setFloat32(76 + 4 * i, step, le))
    view.setFloat32(108, pair ? 0 : 352, le)
    view.setFloat32(112, scaled ? 2 : 1, le)
    view.setFloat32(116, scaled ? -1 : 0, le)
    view.setUint8(123, 10)
    view.setInt16(252, 1, le)
    view.setInt16(254, 1, le)
    ;[0.1, 0.2, 0.3, 5, -3, 7].forEach((value, i) => view.setFloat32(256 + 4 * i, value, le))
    rows.forEach((value, i) => view.setFloat32(280 + 4 * i, value, le))
    bytes.write(pair ? 'ni1\0' : 'n+1\0', 344, 'latin1')
    return bytes
  }
  view.setInt32(0, 540, le)
  bytes.write('n+2\0\r\n\x1a\n', 4, 'latin1')
  view.setInt16(12, code, le)
  view.setInt16(14, bitsOf(code), le)
  dims.forEach((extent, i) => view.setBigInt64(16 + 8 * i, BigInt(extent), le))
  ;[1, 1, 1.5, 2, 1, 1, 1, 1].forEach((step, i) => view.setFloat64(104 + 8 * i, step, le))
  view.setBigInt64(168, 544n, le)
  view.setFloat64(176, 1, le)
  view.setInt32(348, 1, le)
  rows.forEach((value, i) => view.setFloat64(400 + 8 * i, value, le))
  view.setInt32(500, 10, le)
  return bytes
}

function ramp(length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, i) => (i * 7) % 253))
}

/** A Windows bitmap of 24 x 20 pixels with 8 (grey palette) or 24 bits. */
export function bitmap(bits: 8 | 24): Buffer {
  const palette = bits === 8 ? 1024 : 0
  const row = (24 * bits) / 8
  const bytes = Buffer.alloc(54 + palette + row * 20)
  bytes.write('BM', 0)
  bytes.writeUInt32LE(bytes.length, 2)
  bytes.writeUInt32LE(54 + palette, 10)
  bytes.writeUInt32LE(40, 14)
  bytes.writeInt32LE(24, 18)
  bytes.writeInt32LE(20, 22)
  bytes.writeUInt16LE(1, 26)
  bytes.writeUInt16LE(bits, 28)
  for (let i = 0; i < palette / 4; i++) bytes.writeUInt32LE(i * 0x010101, 54 + 4 * i)
  ramp(row * 20).copy(bytes, 54 + palette)
  return bytes
}

/** Two channels and three slices of 16 x 12 pixels, 16 bits, uncompressed, with their OME-XML. */
export function omeTiff(): Buffer {
  const xml =
    '<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">' +
    '<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="16" SizeY="12" SizeZ="3" SizeC="2" SizeT="1" ' +
    'PhysicalSizeX="0.5" PhysicalSizeY="0.5" PhysicalSizeZ="2"><Channel ID="Channel:0:0" Name="DAPI" SamplesPerPixel="1"/>' +
    '<Channel ID="Channel:0:1" Name="GFP" SamplesPerPixel="1"/><TiffData/></Pixels></Image></OME>\0'
  const strip = 16 * 12 * 2
  const entries = 11
  const page = 2 + entries * 12 + 4
  const text = Buffer.from(xml)
  const bytes = Buffer.alloc(8 + text.length + (text.length % 2) + 6 * (page + strip))
  bytes.write('II*\0', 0, 'latin1')
  text.copy(bytes, 8)
  let at = 8 + text.length + (text.length % 2)
  bytes.writeUInt32LE(at, 4)
  for (let p = 0; p < 6; p++) {
    const tags: readonly (readonly [number, number, number, number])[] = [
      [256, 4, 1, 16],
      [257, 4, 1, 12],
      [258, 3, 1, 16],
      [259, 3, 1, 1],
      [262, 3, 1, 1],
      [270, 2, p === 0 ? text.length : 4, p === 0 ? 8 : 0],
      [273, 4, 1, at + page],
      [277, 3, 1, 1],
      [278, 4, 1, 12],
      [279, 4, 1, strip],
      [339, 3, 1, 1],
    ]
    bytes.writeUInt16LE(entries, at)
    tags.forEach((tag, i) => {
      bytes.writeUInt16LE(tag[0], at + 2 + 12 * i)
      bytes.writeUInt16LE(tag[1], at + 4 + 12 * i)
      bytes.writeUInt32LE(tag[2], at + 6 + 12 * i)
      bytes.writeUInt32LE(tag[3], at + 10 + 12 * i)
    })
    ramp(strip).copy(bytes, at + page)
    const next = at + page + strip
    bytes.writeUInt32LE(p === 5 ? 0 : next, at + page - 4)
    at = next
  }
  return bytes
}

interface DicomOptions {
  readonly implicit?: boolean
  readonly frames?: number
  readonly encapsulated?: { readonly syntax: string; readonly bytes: Uint8Array }
}

/** A CT image of 24 x 20 pixels (PS3.10 file, PS3.5 encoding): 16 bits, or 8 where it is encapsulated. */
export function dicomFile({ implicit = false, frames = 1, encapsulated }: DicomOptions): Buffer {
  const syntax = encapsulated?.syntax ?? (implicit ? '1.2.840.10008.1.2' : '1.2.840.10008.1.2.1')
  const bits = encapsulated === undefined ? 16 : 8
  const meta = element(0x0002, 0x0010, 'UI', syntax, false)
  const body: Buffer[] = []
  const add = (group: number, number: number, vr: string, value: string | Buffer): void => {
    body.push(element(group, number, vr, value, implicit))
  }
  add(0x0008, 0x0016, 'UI', '1.2.840.10008.5.1.4.1.1.2')
  add(0x0008, 0x0018, 'UI', '1.2.3.4')
  add(0x0008, 0x0060, 'CS', 'CT')
  add(0x0018, 0x0050, 'DS', '2.5')
  add(0x0020, 0x000d, 'UI', '1.2.3')
  add(0x0020, 0x000e, 'UI', '1.2.3.1')
  add(0x0020, 0x0013, 'IS', '1')
  add(0x0020, 0x0032, 'DS', '-10\\-20\\30')
  add(0x0020, 0x0037, 'DS', '1\\0\\0\\0\\1\\0')
  add(0x0028, 0x0002, 'US', short(1))
  add(0x0028, 0x0004, 'CS', 'MONOCHROME2')
  if (frames > 1) add(0x0028, 0x0008, 'IS', String(frames))
  add(0x0028, 0x0010, 'US', short(20))
  add(0x0028, 0x0011, 'US', short(24))
  add(0x0028, 0x0030, 'DS', '0.5\\0.75')
  add(0x0028, 0x0100, 'US', short(bits))
  add(0x0028, 0x0101, 'US', short(bits))
  add(0x0028, 0x0102, 'US', short(bits - 1))
  add(0x0028, 0x0103, 'US', short(0))
  add(0x0028, 0x1052, 'DS', '-1024')
  add(0x0028, 0x1053, 'DS', '1')
  if (encapsulated === undefined) add(0x7fe0, 0x0010, 'OW', ramp(24 * 20 * 2 * frames))
  else body.push(fragments(encapsulated.bytes))
  const length = Buffer.alloc(4)
  length.writeUInt32LE(meta.length)
  return Buffer.concat([
    Buffer.alloc(128),
    Buffer.from('DICM'),
    element(0x0002, 0x0000, 'UL', length, false),
    meta,
    ...body,
  ])
}

function short(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16LE(value)
  return bytes
}

function element(group: number, number: number, vr: string, value: string | Buffer, implicit: boolean): Buffer {
  let bytes = Buffer.from(value)
  if (bytes.length % 2 === 1) bytes = Buffer.concat([bytes, Buffer.from(vr === 'UI' ? '\0' : ' ')])
  const long = vr === 'OW'
  const head = Buffer.alloc(implicit || !long ? 8 : 12)
  head.writeUInt16LE(group, 0)
  head.writeUInt16LE(number, 2)
  if (implicit) head.writeUInt32LE(bytes.length, 4)
  else {
    head.write(vr, 4, 'latin1')
    if (long) head.writeUInt32LE(bytes.length, 8)
    else head.writeUInt16LE(bytes.length, 6)
  }
  return Buffer.concat([head, bytes])
}

/** Encapsulated pixel data: an empty offset table, one fragment, the end. */
function fragments(bytes: Uint8Array): Buffer {
  const even = bytes.length % 2 === 0 ? Buffer.from(bytes) : Buffer.concat([bytes, Buffer.alloc(1)])
  const item = (length: number): Buffer => {
    const head = Buffer.from([0xfe, 0xff, 0x00, 0xe0, 0, 0, 0, 0])
    head.writeUInt32LE(length, 4)
    return head
  }
  const start = Buffer.from([0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x42, 0, 0, 0xff, 0xff, 0xff, 0xff])
  const end = Buffer.from([0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0])
  return Buffer.concat([start, item(0), item(even.length), even, end])
}

const NRRD_FIELDS =
  'type: short\ndimension: 3\nspace: left-posterior-superior\nsizes: 12 10 4\n' +
  'space directions: (1,0,0) (0,1.5,0.2) (0,-0.2,2)\nkinds: domain domain domain\nendian: little\nspace origin: (1,2,3)\n'

export function nrrd({ encoding }: { readonly encoding: 'raw' | 'gzip' | 'ascii' }): Buffer {
  const voxels = ramp(NX * NY * NZ * 2)
  const data =
    encoding === 'raw'
      ? voxels
      : encoding === 'gzip'
        ? gzipSync(voxels)
        : Buffer.from([...voxels.subarray(480)].join(' '))
  return Buffer.concat([Buffer.from(`NRRD0004\n# made for tests\n${NRRD_FIELDS}encoding: ${encoding}\n\n`), data])
}

nrrd.detached = () => [
  { name: 'fuzz.nhdr', bytes: Buffer.from(`NRRD0005\n${NRRD_FIELDS}encoding: raw\ndata file: fuzz.raw\n`) },
  { name: 'fuzz.raw', bytes: ramp(NX * NY * NZ * 2) },
]

const META_FIELDS =
  'ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\nTransformMatrix = 1 0 0 0 1 0 0 0 1\n' +
  'Offset = 1 2 3\nCenterOfRotation = 0 0 0\nElementSpacing = 1 1.5 2\nDimSize = 12 10 4\nElementType = MET_SHORT\n'

export function metaImage({ compressed }: { readonly compressed: boolean }): Buffer {
  const voxels = ramp(NX * NY * NZ * 2)
  const data = compressed ? deflateSync(voxels) : voxels
  const how = compressed ? `CompressedData = True\nCompressedDataSize = ${data.length}\n` : 'CompressedData = False\n'
  return Buffer.concat([
    Buffer.from(`${META_FIELDS.replace('BinaryDataByte', `${how}BinaryDataByte`)}ElementDataFile = LOCAL\n`),
    data,
  ])
}

metaImage.detached = () => [
  { name: 'fuzz.mhd', bytes: Buffer.from(`${META_FIELDS}ElementDataFile = fuzz.raw\n`) },
  { name: 'fuzz.raw', bytes: ramp(NX * NY * NZ * 2) },
]

/** A COCO document with one object of 24 x 20 pixels: its run lengths as numbers, or as the string of COCO's own tools. */
export function coco(counts: readonly number[] | string): Buffer {
  const document = {
    images: [{ id: 1, file_name: 'fuzz.png', width: 24, height: 20 }],
    categories: [{ id: 1, name: 'Nucleus' }],
    annotations: [
      {
        id: 1,
        image_id: 1,
        category_id: 1,
        iscrowd: 1,
        area: 7,
        bbox: [0, 3, 1, 9],
        segmentation: { size: [20, 24], counts },
      },
      {
        id: 2,
        image_id: 1,
        category_id: 1,
        iscrowd: 0,
        area: 4,
        bbox: [9, 9, 2, 2],
        segmentation: [[9, 9, 11, 9, 11, 11, 9, 11]],
      },
    ],
  }
  return Buffer.from(JSON.stringify(document))
}

/** dataset.json of an nnU-Net (version 2) raw data set of one case. */
export function nnunetJson(): Buffer {
  const document = {
    channel_names: { 0: 'CT' },
    labels: { background: 0, Liver: 1 },
    numTraining: 1,
    file_ending: '.nii.gz',
  }
  return Buffer.from(JSON.stringify(document))
}
