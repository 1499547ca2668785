import type { Affine, Dims, ImageSelection, Vec3, VoxelType } from '../core/contract/schemas.ts'
import type { VoxelStore } from './voxels/index.ts'

export type ImageFormat =
  | 'nifti1'
  | 'nifti2'
  | 'analyze'
  | 'png'
  | 'jpeg'
  | 'bmp'
  | 'tiff'
  | 'ome-tiff'
  | 'svs'
  | 'dicom'
  | 'nrrd'
  | 'metaimage'

/** Where the affine of a NIfTI image was taken from: the first of these that is usable. */
export type AffineSource = 'sform' | 'qform' | 'pixdim' | 'none'

/** What an image file says of itself, from its header alone; the fields of `maskwright info --json`. */
export interface ImageInfo {
  readonly format: ImageFormat
  /**
   * [x, y, z, t] and, of NIfTI files of more than four dimensions, the rest. A 2-D image is [width, height, 1, 1], turned as
   * its EXIF data asks.
   */
  readonly dims: readonly number[]
  /**
   * mm; [1, 1, 1] where the file does not say. Of NIfTI files that state another unit, this and the affine are the header's own numbers,
   * as in other tools; those of the opened image are in mm.
   */
  readonly spacing: Vec3
  readonly spacingKnown: boolean
  /** Of the lengths here, where it is another than mm, as the header of a NIfTI file can state. */
  readonly unit?: 'm' | 'um'
  /** The type in the file: "int16", "float64", "rgb24" … */
  readonly datatype: string
  /**
   * Samples per voxel in the file, alpha left out, or channels of a microscope. An image that is read has 1 or 3: colour
   * without colour is grey, and of channels that are no colour one is chosen.
   */
  readonly channels: number
  /** How the channels to choose from are called, in their order, by number where the file does not say; empty for those of a picture. */
  readonly channelNames: readonly string[]
  readonly affine: Affine | null
  readonly affineSource: AffineSource
  /** The direction in which each voxel axis grows, e.g. "LAS"; null where there is no affine. */
  readonly orientation: string | null
  /** scaled = raw * slope + inter */
  readonly slope: number
  readonly inter: number
  readonly byteOrder: 'little' | 'big'
  readonly compressed: boolean
  /** Volumes in the file to choose from: the product of the dimensions beyond the third. */
  readonly frames: number
  /** Complex numbers, of which a part is chosen. */
  readonly complex: boolean
  /** Resolution levels in the file. */
  readonly levels: number
  /** Too large to be opened at once: shown tile by tile, and annotated in regions of it. */
  readonly tiled: boolean
  /**
   * Where sform and qform both say where the image lies and differ by more than 0.1 mm somewhere in it: the largest distance
   * in mm, and the form that is not used. Null where they agree or there is only one.
   */
  readonly disagreement: { readonly mm: number; readonly other: 'sform' | 'qform' } | null
  /** Slices of a series are missing or unevenly spaced, so that places in it are not exact. Left out where they are not. */
  readonly gaps?: boolean
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
      /** What follows the header up to the voxels, as it is in the file; empty where there is nothing. */
      readonly extensions: Uint8Array<ArrayBuffer>
    }
  /** A picture: no geometry beyond a pixel size. */
  | { readonly kind: 'raster'; readonly path: string }
  /** DICOM, NRRD, MetaImage: the geometry is the affine. `path`: a file of it, or its folder. */
  | { readonly kind: 'volume'; readonly path: string }

export interface ImageVolume {
  readonly info: ImageInfo
  /** `volume`: from a format with geometry, even if it is a single slice, or a stack. `image`: a single picture. */
  readonly kind: 'volume' | 'image'
  readonly dims: Dims
  readonly channels: 1 | 3
  readonly voxelType: VoxelType
  /** Raw samples, x fastest, channels interleaved. They can still be arriving. To be closed when the image is. */
  readonly voxels: VoxelStore
  /** scaled = raw * slope + inter */
  readonly slope: number
  readonly inter: number
  readonly affine: Affine | null
  readonly spacing: Vec3
  readonly spacingKnown: boolean
  readonly orientation: string | null
  readonly source: ImageSource
  /** Those of `info` and what turned up while the voxels were read: more can come until they are complete. */
  readonly warnings: readonly string[]
}

/** A label map read from a file. */
export interface MaskVolume<Labels extends LabelArray = LabelArray> {
  readonly dims: Dims
  /** One label a voxel, x fastest. */
  readonly labels: Labels
  readonly affine: Affine | null
}

/** Labels of a mask in a file: instance masks have more than 255. In a project a mask has one byte a voxel. */
export type LabelArray = Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer>

export interface ReadOptions {
  /** Which of several images in the file; what is left out is the first. */
  readonly selection?: ImageSelection | undefined
  readonly signal?: AbortSignal | undefined
}
