import type { Axis } from '../../core/contract/schemas.ts'
import type { NetworkInput } from '../../core/contract/network.ts'
import type { AugmentationSettings, CasePart, DataReport, RecipeSettings } from '../../core/contract/recipes.ts'
import type { ModelCard } from '../../core/contract/compute.ts'

/** A case by its files. */
export interface CaseFiles {
  readonly id: string
  /** Cases of one patient are never in two parts. */
  readonly patient: string
  readonly image: string
  /** One label map, or one file for each object. */
  readonly masks: readonly string[]
}

export interface TrainingCase extends CaseFiles {
  readonly part: CasePart
  /** Where slices of one volume are parted: those that are this case, across a voxel axis. Else all of the image is. */
  readonly only?: { readonly axis: Axis; readonly indices: readonly number[] }
}

/** One picture that is learned from or measured on: a slice of a volume, or a picture itself. */
export interface SliceRef {
  readonly caseId: string
  readonly part: CasePart
  /** Slice number across the plane; 0 of pictures. */
  readonly index: number
  readonly plane: RecipeSettings['planes'][number]
  /** In pixels of the network's input, after resizing. */
  readonly width: number
  readonly height: number
}

/** A slice as the network takes it. */
export interface NetworkSlice {
  readonly width: number
  readonly height: number
  readonly channels: number
  /** channels x height x width, prepared (data and card agree on how). */
  readonly image: Float32Array
  /** height x width: 0 background, c > 0 the c-th class of the network, 255 teaches nothing. */
  readonly classes: Uint8Array
  /** height x width loss weights, or null where all are 1. */
  readonly weights: Float32Array | null
}

export interface RecipeBatch {
  readonly count: number
  readonly channels: number
  readonly width: number
  readonly height: number
  /** Of classes and weights: smaller than the input for valid convolutions, centred in it. */
  readonly outWidth: number
  readonly outHeight: number
  /** count x height x width x channels. */
  readonly images: Float32Array
  /** count x outHeight x outWidth; as NetworkSlice. */
  readonly classes: Uint8Array
  readonly weights: Float32Array | null
}

export interface BatchOptions {
  /** The batches of an epoch hang on these two alone, whatever was drawn before and whichever thread draws them. */
  readonly seed: number
  readonly epoch: number
  readonly steps: number
  readonly batch: number
  /** Input width and height; null: whole slices, padded by mirroring to the largest of the batch and to `step`. */
  readonly patch: number | null
  readonly step: number
  /** Pixels that valid convolutions cut off at each side; 0 otherwise. */
  readonly margin: number
  readonly foreground: number
  readonly augmentation: AugmentationSettings
  /** Every patch lies around a pixel that teaches, and has one: for slices of which only parts do. Else wherever it falls. */
  readonly teaching?: boolean
  /** The largest extents that patches are cut to, where more than the slices of the plan count; of those unless given. */
  readonly most?: { readonly width: number; readonly height: number }
}

export interface BatchStream {
  /** The next batch, in order; it waits where none is ready. null after the last. The buffers are the caller's. */
  next(): Promise<RecipeBatch | null>
  close(): Promise<void>
}

/** What a case is, in its own geometry, for scoring. */
export interface CaseTruth {
  /** Label values (not classes), x fastest, in the image's voxel order. */
  readonly labels: Uint8Array
  /** Numbers of objects where each has a mask of its own, or where the recipe has instances. */
  readonly objects: Uint32Array | null
}

/** The data of a training: looked through, split, read when needed, never all in memory. */
export interface TrainingData {
  readonly report: DataReport
  readonly cases: readonly TrainingCase[]
  readonly labels: ModelCard['labels']
  /** Output channels of the network: with background (softmax) and border where there are. */
  readonly outputChannels: number
  readonly channels: 1 | 3
  /** Fitted on the training part. */
  readonly input: NetworkInput
  readonly spacing: ModelCard['spacing']
  readonly data: NonNullable<ModelCard['data']>
  slices(part: CasePart): readonly SliceRef[]
  slice(ref: SliceRef): Promise<NetworkSlice>
  truth(caseId: string): Promise<CaseTruth>
  /** Patches of the training part, drawn ahead in worker threads. */
  batches(options: BatchOptions): BatchStream
  /** Batches an epoch that it takes to see the training part once. */
  batchesPerEpoch(options: Pick<BatchOptions, 'batch' | 'patch'>): number
  close(): Promise<void>
}
