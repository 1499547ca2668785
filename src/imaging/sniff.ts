import { basename, extname } from 'node:path'
import { looksLikeDicom } from './dicom/signature.ts'
import { badFile, fileSize, isFolder, readStart } from './files.ts'
import { isHalf } from './nifti/halves.ts'
import type { RasterFormat } from './raster/index.ts'

/** Endings of files that can be opened, as for a file dialog. What a file is, its first bytes say. */
export const supportedExtensions = [
  'nii',
  'nii.gz',
  'hdr',
  'hdr.gz',
  'img',
  'img.gz',
  'png',
  'jpg',
  'jpeg',
  'tif',
  'tiff',
  'btf',
  'svs',
  'bmp',
  'nrrd',
  'nhdr',
  'mha',
  'mhd',
  'dcm',
] as const

/** Can a file of this name be an image? By its ending alone, for lists of files. */
export function isSupported(name: string): boolean {
  const lower = name.toLowerCase()
  return supportedExtensions.some((extension) => lower.endsWith(`.${extension}`))
}

/** Which folder of formats reads a file. */
export type SniffedFormat = RasterFormat | 'tiff' | 'nifti' | 'nrrd' | 'metaimage' | 'dicom'

interface Signature {
  readonly at: number
  readonly bytes: readonly number[]
}

const text = (at: number, value: string): Signature => ({ at, bytes: [...new TextEncoder().encode(value)] })

const RASTER: readonly (readonly [RasterFormat | 'tiff', Signature])[] = [
  ['png', { at: 0, bytes: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] }],
  ['jpeg', { at: 0, bytes: [0xff, 0xd8, 0xff] }],
  ['tiff', { at: 0, bytes: [0x49, 0x49, 42, 0] }],
  ['tiff', { at: 0, bytes: [0x4d, 0x4d, 0, 42] }],
  ['tiff', { at: 0, bytes: [0x49, 0x49, 43, 0] }],
  ['tiff', { at: 0, bytes: [0x4d, 0x4d, 0, 43] }],
  ['bmp', text(0, 'BM')],
]

/** Other formats by name, so that the refusal can say what to do. */
const OTHERS: readonly (readonly [string, Signature])[] = [
  ['a GIF picture', text(0, 'GIF8')],
  ['a WebP picture', text(8, 'WEBP')],
  ['a PDF document', text(0, '%PDF')],
  ['a ZIP archive', { at: 0, bytes: [0x50, 0x4b, 3, 4] }],
  ['an HDF5 or MINC file', { at: 0, bytes: [0x89, 0x48, 0x44, 0x46] }],
]

/** A MetaImage header is text that begins with one of these tags, which its other tags follow in any order. */
const META_IMAGE = /^\s*(ObjectType|ObjectSubType|NDims|Comment|Name|DimSize)[ \t]*[=:]/

/** The name of an image file without its folder and its ending; `.nii.gz` and the like are one ending. */
export function stemOf(path: string): string {
  const name = basename(path)
  const ending = /\.(nii|hdr|img)\.gz$/i.exec(name)?.[0] ?? extname(name)
  return name.slice(0, name.length - ending.length) || name
}

/** What a file is, by its first bytes. A folder is a DICOM series. Throws a CodedError where it is missing,
 * empty or no image. */
export async function sniff(path: string): Promise<SniffedFormat> {
  if (await isFolder(path)) return 'dicom'
  await fileSize(path)
  const start = await readStart(path, 540)
  const has = ({ at, bytes }: Signature): boolean => bytes.every((byte, i) => start[at + i] === byte)
  const isNifti =
    has({ at: 0, bytes: [0x1f, 0x8b] }) ||
    has(text(344, 'n+1')) ||
    has(text(344, 'ni1')) ||
    has(text(4, 'n+2')) ||
    has(text(4, 'ni2'))
  if (isNifti || (await isHalf(path))) return 'nifti'
  const raster = RASTER.find(([, signature]) => has(signature))
  if (raster !== undefined) return raster[0]
  if (has(text(0, 'NRRD'))) return 'nrrd'
  if (META_IMAGE.test(new TextDecoder('latin1').decode(start))) return 'metaimage'
  if (looksLikeDicom(start)) return 'dicom'
  const other = OTHERS.find(([, signature]) => has(signature))
  if (other !== undefined) {
    throw badFile(path, `is ${other[0]}, which cannot be opened; convert it to NIfTI, PNG or TIFF.`)
  }
  // Voxels without a header: said in the words for pairs.
  if (/\.img$/i.test(path)) return 'nifti'
  throw badFile(
    path,
    'is not an image that can be opened; choose a NIfTI, DICOM, NRRD, MetaImage, PNG, JPEG, TIFF or BMP file.',
  )
}
