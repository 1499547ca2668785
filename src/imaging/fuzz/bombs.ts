import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createGzip, deflateSync, gzipSync } from 'node:zlib'
import { crc32 } from 'node:zlib'
import { bitmap, dicomFile, metaImage, nifti, nrrd } from './seedFiles.ts'

/** Small files that claim to be large, or that send a reader in circles. Each writes itself and gives the path to open. */
export const bombs: Readonly<Record<string, (folder: string) => Promise<string>>> = {
  'a NIfTI header that claims more voxels than its packed bytes can hold': async (folder) => {
    const bytes = nifti({ code: 16, littleEndian: true })
    for (const [i, extent] of [30000, 30000, 30].entries()) bytes.writeInt16LE(extent, 42 + 2 * i)
    return put(folder, 'bomb.nii.gz', gzipSync(bytes))
  },
  'a NIfTI-2 header whose extents overflow when multiplied': async (folder) => {
    const bytes = nifti({ code: 16, version: 2, littleEndian: true })
    for (let i = 0; i < 7; i++) bytes.writeBigInt64LE(2n ** 40n, 24 + 8 * i)
    bytes.writeBigInt64LE(7n, 16)
    return put(folder, 'bomb.nii', bytes)
  },
  '200 MB of zeros in 200 kB, with a header of a few voxels': async (folder) => {
    const path = join(folder, 'bomb.nii.gz')
    await pack(path, nifti({ code: 16, littleEndian: true }), 200)
    return path
  },
  '64 GB claimed by a MetaImage of some bytes': (folder) =>
    put(folder, 'bomb.mha', text(metaImage({ compressed: true })).replace('12 10 4', '65536 65536 8')),
  '64 GB claimed by an NRRD of some bytes': (folder) =>
    put(folder, 'bomb.nrrd', text(nrrd({ encoding: 'gzip' })).replace('12 10 4', '65536 65536 8')),
  'a PNG of 1.7 thousand million pixels in a few kB': (folder) => put(folder, 'bomb.png', png(41_000, 41_000)),
  'a BMP of 65536 x 65536': async (folder) => {
    const bytes = bitmap(24)
    bytes.writeInt32LE(65536, 18)
    bytes.writeInt32LE(65536, 22)
    return put(folder, 'bomb.bmp', bytes)
  },
  'a DICOM image of 65535 x 65535 and 30000 frames': async (folder) => {
    const bytes = dicomFile({ frames: 30_000 })
    const rows = bytes.indexOf(Buffer.from([0x28, 0x00, 0x10, 0x00, 0x55, 0x53]))
    bytes.writeUInt16LE(65535, rows + 8)
    bytes.writeUInt16LE(65535, rows + 18)
    return put(folder, 'bomb.dcm', bytes)
  },
  'a DICOM sequence that is nested 100000 deep': (folder) => {
    const nest = Buffer.from([
      8, 0, 0x40, 0x11, 0x53, 0x51, 0, 0, 255, 255, 255, 255, 254, 255, 0, 224, 255, 255, 255, 255,
    ])
    const start = dicomFile({}).subarray(0, 132 + 12 + 28)
    return put(folder, 'bomb.dcm', Buffer.concat([start, ...Array<Buffer>(100_000).fill(nest)]))
  },
  'a TIFF whose only page comes after itself': (folder) => put(folder, 'bomb.tif', tiffChain(1, true)),
  'a TIFF of three pages in a circle': (folder) => put(folder, 'bomb.tif', tiffChain(3, true)),
  'a TIFF of a million pages': (folder) => put(folder, 'bomb.tif', tiffChain(1_000_000, false)),
  'a TIFF that claims 60000 x 60000 pixels in one strip of 16 bytes': (folder) =>
    put(folder, 'bomb.tif', tiffChain(1, false, 60_000)),
  'a TIFF whose strip table has 4 thousand million entries': async (folder) => {
    const bytes = tiffChain(1, false)
    bytes.writeUInt32LE(0xffffffff, 10 + 12 * 5 + 4)
    return put(folder, 'bomb.tif', bytes)
  },
}

async function put(folder: string, name: string, bytes: Uint8Array | string): Promise<string> {
  await mkdir(folder, { recursive: true })
  const path = join(folder, name)
  await writeFile(path, bytes, 'latin1')
  return path
}

function text(bytes: Buffer): string {
  return bytes.toString('latin1')
}

/** A header and then megabytes of zeros, gzip-packed. */
async function pack(path: string, header: Buffer, megabytes: number): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true })
  const file = createWriteStream(path)
  const gzip = createGzip()
  gzip.pipe(file)
  gzip.write(header)
  const zeros = Buffer.alloc(2 ** 20)
  for (let i = 0; i < megabytes; i++) if (!gzip.write(zeros)) await once(gzip, 'drain')
  gzip.end()
  await once(file, 'close')
}

/** A PNG of zeros, 1 bit a pixel, whose data really unpack to that size. */
function png(width: number, height: number): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header[8] = 1
  const rows = deflateSync(Buffer.alloc((1 + Math.ceil(width / 8)) * height), { level: 9 })
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))])
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data])
  const bytes = Buffer.alloc(body.length + 8)
  bytes.writeUInt32BE(data.length, 0)
  body.copy(bytes, 4)
  bytes.writeUInt32BE(crc32(body), body.length + 4)
  return bytes
}

/** Pages of 4 x 4 grey pixels that share one strip; the last leads back to the first, or nowhere. */
function tiffChain(pages: number, circular: boolean, extent = 4): Buffer {
  const entries = 8
  const page = 2 + entries * 12 + 4
  const bytes = Buffer.alloc(8 + pages * page + 16)
  bytes.set([0x49, 0x49, 42, 0, 8, 0, 0, 0])
  const strip = 8 + pages * page
  for (let p = 0; p < pages; p++) {
    const at = 8 + p * page
    bytes.writeUInt16LE(entries, at)
    const tags = [
      [256, extent],
      [257, extent],
      [258, 8],
      [259, 1],
      [262, 1],
      [273, strip],
      [278, extent],
      [279, 16],
    ]
    tags.forEach(([tag = 0, value = 0], i) => {
      bytes.writeUInt16LE(tag, at + 2 + 12 * i)
      bytes.writeUInt16LE(4, at + 4 + 12 * i)
      bytes.writeUInt32LE(1, at + 6 + 12 * i)
      bytes.writeUInt32LE(value, at + 10 + 12 * i)
    })
    bytes.writeUInt32LE(p + 1 < pages ? at + page : circular ? 8 : 0, at + page - 4)
  }
  return bytes
}
