import type { Affine, Dims, Vec3, VoxelType } from '../core/contract/schemas.ts'

export type ImageFormat = 'nifti1' | 'nifti2' | 'png' | 'jpeg' | 'tiff' | 'bmp'

/** Where the affine of a NIfTI image was taken from: the first of these that is usable. */
export type AffineSource = 'sform' | 'qform' | 'pixdim' | 'none'

/** What an image file says of itself, from its header alone; the fields of `maskwright info --json`. */
export interface ImageInfo {
  readonly format: ImageFormat
  /** [x, y, z, t]; t is the number of frames. A 2-D image is [width, height, 1, 1], turned as its EXIF data asks. */
  readonly dims: readonly [number, number, number, number]
  /** mm; [1, 1, 1] where the file does not say. */
  readonly spacing: Vec3
  readonly spacingKnown: boolean
  /** The type in the file: "int16", "float64", "rgb24" … */
  readonly datatype: string
  /** Samples per voxel in the file, alpha left out. An image that is read can have fewer: colour without colour is grey. */
  readonly channels: 1 | 3
  readonly affine: Affine | null
  readonly affineSource: AffineSource
  /** The direction in which each voxel axis grows, e.g. "LAS"; null where there is no affine. */
  readonly orientation: string | null
  /** scaled = raw * slope + inter */
  readonly slope: number
  readonly inter: number
  readonly byteOrder: 'little' | 'big'
  readonly compressed: boolean
  readonly frames: number
  /** Resolution levels in the file. */
  readonly levels: number
  /** Plain sentences about what was assumed or left out. */
  readonly warnings: readonly string[]
}

export type VoxelArray =
  | Uint8Array<ArrayBuffer>
  | Int8Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Int16Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>

/** What is kept of the file for writing a mask in its geometry. Opaque outside of `imaging`. */
export type ImageSource =
  | {
      readonly kind: 'nifti'
      readonly path: string
      /** The 348 or 540 bytes of the header as they are in the file. */
      readonly header: Uint8Array<ArrayBuffer>
    }
  | { readonly kind: 'raster'; readonly path: string }

export interface ImageVolume {
  readonly info: ImageInfo
  /** `volume`: from NIfTI, with geometry, even if it is a single slice. `image`: a picture. */
  readonly kind: 'volume' | 'image'
  readonly dims: Dims
  readonly channels: 1 | 3
  readonly voxelType: VoxelType
  /** dims[0] * dims[1] * dims[2] * channels raw samples, x fastest, channels interleaved, in the machine's byte order. */
  readonly data: VoxelArray
  /** scaled = raw * slope + inter */
  readonly slope: number
  readonly inter: number
  readonly affine: Affine | null
  readonly spacing: Vec3
  readonly spacingKnown: boolean
  readonly orientation: string | null
  readonly source: ImageSource
  /** Those of `info` and what turned up while the voxels were read. */
  readonly warnings: readonly string[]
}

/** A label map read from a file. */
export interface MaskVolume {
  readonly dims: Dims
  /** One label a voxel, x fastest. */
  readonly labels: Uint8Array<ArrayBuffer>
  readonly affine: Affine | null
}

export interface ReadOptions {
  readonly signal?: AbortSignal | undefined
}
