import { access } from 'node:fs/promises'
import { badFile, fileSize, readStart } from '../files.ts'
import { inflated, isGzip } from '../voxels/index.ts'
import { headerKind, NIFTI2_BYTES } from './header.ts'

/** Where the two parts of an image lie: the same file, or the two of an .hdr/.img pair. */
export interface Halves {
  readonly header: string
  /** Null where the voxels of a pair are missing. */
  readonly voxels: string | null
  /** Name that the missing voxels should have. */
  readonly voxelsName: string
  /** The first bytes of the header file, unpacked. */
  readonly start: Uint8Array
}

const HEADER = /\.hdr(\.gz)?$/i
const VOXELS = /\.img(\.gz)?$/i

/**
 * Finds the parts of the image that `path` is, or is half of. Either half may be packed, whatever the other is. Throws a
 * CodedError where the file is no NIfTI or Analyze image, or has lost its header.
 */
export async function findHalves(path: string): Promise<Halves> {
  await fileSize(path)
  if (VOXELS.test(path)) {
    const header = await partner(path, VOXELS, 'hdr')
    if (header !== null) {
      await fileSize(header)
      const start = await unpackedStart(header)
      if (headerKind(start, header)?.single === false) return { header, voxels: path, voxelsName: path, start }
    }
  }
  const start = await unpackedStart(path)
  const kind = headerKind(start, path)
  if (kind === null && VOXELS.test(path)) {
    const name = path.replace(VOXELS, '.hdr')
    throw badFile(path, `is one half of a pair of files; put ${baseName(name)} beside it and open either.`)
  }
  if (kind === null) throw badFile(path, 'is not a NIfTI image; choose a .nii, .nii.gz, .hdr or .img file.')
  if (kind.single) return { header: path, voxels: path, voxelsName: path, start }
  if (!HEADER.test(path)) {
    throw badFile(path, 'is the header of a pair of files; name them .hdr and .img and open either.')
  }
  const voxels = await partner(path, HEADER, 'img')
  return { header: path, voxels, voxelsName: path.replace(HEADER, '.img'), start }
}

/** Is this the header of a pair, or does one lie beside it? For telling such files from others by more than their name. */
export async function isHalf(path: string): Promise<boolean> {
  const header = HEADER.test(path) ? path : VOXELS.test(path) ? await partner(path, VOXELS, 'hdr') : null
  if (header === null) return false
  const start = await unpackedStart(header).catch(() => new Uint8Array(0))
  return headerKind(start, header)?.single === false
}

export function missingVoxels({ header, voxelsName }: Halves): Error {
  return badFile(header, `has no voxels in it; put ${baseName(voxelsName)} beside it and open either.`)
}

function baseName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1)
}

/** The other half of a pair: packed as this one or not, the ending in capitals as this one's or not. */
async function partner(path: string, ending: RegExp, other: 'hdr' | 'img'): Promise<string | null> {
  const [own = ''] = ending.exec(path) ?? []
  const stem = path.slice(0, path.length - own.length)
  const packed = own.toLowerCase().endsWith('.gz')
  const name = own.slice(1, 4) === own.slice(1, 4).toUpperCase() ? other.toUpperCase() : other
  const names = [name, name === other ? other.toUpperCase() : other]
  const endings = names.flatMap((base) => (packed ? [`${base}.gz`, base] : [base, `${base}.gz`]))
  for (const candidate of endings) {
    const found = `${stem}.${candidate}`
    if (
      await access(found).then(
        () => true,
        () => false,
      )
    )
      return found
  }
  return null
}

/** The first bytes of a file, unpacked where it is packed. */
async function unpackedStart(path: string): Promise<Uint8Array> {
  const start = await readStart(path, NIFTI2_BYTES)
  return isGzip(start) ? unpackedBytes(path, NIFTI2_BYTES) : start
}

/** The first `count` bytes of a packed file, fewer where there are no more. */
export async function unpackedBytes(path: string, count: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(count)
  let at = 0
  for await (const chunk of inflated({ path, skip: 0, count, toEnd: false, chunkSize: 2 ** 14 })) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes.subarray(0, at)
}
