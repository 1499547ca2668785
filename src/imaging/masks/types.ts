import type { MaskFormat } from '../../core/contract/schemas.ts'
import type { ImageVolume, LabelArray, MaskVolume } from '../types.ts'

/** What a label is called in the files that have names. */
export interface MaskName {
  readonly value: number
  readonly name: string
  /** #rrggbb */
  readonly color?: string | undefined
}

/** The part of an image that its mask takes its shape and geometry from. */
export type MaskTarget = Pick<ImageVolume, 'dims' | 'source' | 'info' | 'affine' | 'spacing'>

/** A mask that was read, and what its file says beyond the labels. */
export interface LoadedMask extends MaskVolume {
  readonly format: MaskFormat | 'image'
  /** Names by label value, as far as the file gives them. */
  readonly names: ReadonlyMap<number, string>
  /** Plain sentences about what was assumed or lost. */
  readonly warnings: readonly string[]
}

export interface WriteOptions {
  /** Names and colours of labels, for the formats that have them. */
  readonly names?: readonly MaskName[] | undefined
  /** Bits of a label at least, in NIfTI, PNG and TIFF, so that a reader can go by them; as few as hold all where left out. */
  readonly leastBits?: 8 | 16 | undefined
  readonly signal?: AbortSignal | undefined
}

/** One mask as it is given to a format. */
export interface MaskToWrite {
  readonly labels: LabelArray
  readonly image: MaskTarget
  /** Of the case, without ending: what files are called. */
  readonly stem: string
  readonly names: readonly MaskName[]
  readonly leastBits?: 8 | 16 | undefined
  readonly signal: AbortSignal | undefined
}

/** What a reader of one mask among several knows of the image it is for. */
export interface ReadContext {
  /** What the mask may be called: the image's names without ending, the likeliest first; empty where no image is at hand. */
  readonly stems: readonly string[]
  /** Of the image; 0 where none is at hand. */
  readonly voxels: number
  readonly signal: AbortSignal | undefined
}
