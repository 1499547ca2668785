import type { Dims, ImageChoices, ImageSelection } from '../../core/contract/schemas.ts'
import type { ImageInfo } from '../../imaging/index.ts'
import { findImage } from './source.ts'

const FORMATS: Readonly<Record<string, string>> = {
  nifti1: 'NIfTI-1',
  nifti2: 'NIfTI-2',
  analyze: 'Analyze 7.5',
  png: 'PNG',
  jpeg: 'JPEG',
  bmp: 'BMP',
  tiff: 'TIFF',
  'ome-tiff': 'OME-TIFF',
  svs: 'Aperio SVS',
  dicom: 'DICOM',
  nrrd: 'NRRD',
  metaimage: 'MetaImage',
}

/** What there is to choose in a file or folder before it is added. Throws what reading its header throws. */
export async function lookInto(path: string, selection: ImageSelection, signal?: AbortSignal): Promise<ImageChoices> {
  const { info, stem, series } = await findImage(path, selection, signal)
  const [x = 1, y = 1, z = 1] = info.dims
  const dims: Dims = [x, y, z]
  return {
    name: stem,
    kind: info.tiled && selection.region === undefined ? 'slide' : isPicture(info) ? 'image' : 'volume',
    format: FORMATS[info.format] ?? info.format,
    dims,
    series,
    frames: Math.max(1, info.frames),
    channels: [...info.channelNames],
    complex: info.complex,
    warnings: [...info.warnings],
  }
}

/** A single picture: of a format without geometry, or of DICOM, where it does not say where it lies. */
function isPicture({ format, dims, affine }: ImageInfo): boolean {
  const flat: readonly ImageInfo['format'][] = ['png', 'jpeg', 'bmp', 'tiff', 'ome-tiff', 'svs']
  return (dims[2] ?? 1) === 1 && (flat.includes(format) || (format === 'dicom' && affine === null))
}
