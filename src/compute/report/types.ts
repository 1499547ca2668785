import type { Axis } from '../../core/contract/schemas.ts'
import type { CasePart, CaseScores, DataReport, Recipe, RecipeSettings } from '../../core/contract/recipes.ts'
import type { HistoryEpoch, RecipeReport } from '../../core/contract/report.ts'
import type { NetworkInput } from '../../core/contract/network.ts'
import type { ImageVolume } from '../../imaging/index.ts'

type ReportLabels = readonly { readonly value: number; readonly name: string }[]

export interface ReportOptions {
  /** `report` in the model folder that is being written; made where it is not there. */
  readonly dir: string
  /** What must outlive a kill: the pictures of each epoch. In the folder of the training, not in that of the model. */
  readonly progressDir: string
  readonly recipe: Recipe
  readonly labels: ReportLabels
  /** Of the whole training: of very many, not each has a frame in the animation. */
  readonly epochs: number
}

/** A scored case in its own geometry. */
export interface ScoredCase {
  readonly id: string
  readonly part: CasePart
  /** Its voxels are read here; it stays the caller's to close. */
  readonly image: ImageVolume
  /** Label values, x fastest, in the image's voxel order. */
  readonly truth: Uint8Array
  readonly prediction: Uint8Array
  /** Numbers of objects, 0 none; where the recipe has them. */
  readonly truthObjects?: Uint32Array | null
  readonly predictedObjects?: Uint32Array | null
  readonly scores: Omit<CaseScores, 'id'>
  /** Of a volume whose other slices were learned from: those that were scored. Nothing else of it is shown. */
  readonly only?: { readonly axis: Axis; readonly indices: readonly number[] } | undefined
}

/** One of the few pictures that are predicted after each epoch, as the network sees it. */
export interface EpochPicture {
  readonly id: string
  readonly width: number
  readonly height: number
  readonly channels: number
  /** channels x height x width, in any range; shown between its 0.5th and 99.5th percentile. */
  readonly image: Float32Array
  /** What was done to its channels, undone where it is shown. */
  readonly standardize?: NetworkInput['standardize']
  /** height x width: 0 background, c > 0 the c-th label, above them the border of the first one's objects, 255 not known. */
  readonly truth: Uint8Array
  readonly prediction: Uint8Array
}

export interface ReportEnd {
  readonly preset: 'best' | 'article'
  readonly settings: RecipeSettings
  readonly model: RecipeReport['model']
  readonly scoredOn: CasePart
  /** meanScores of the cases. */
  readonly metrics: RecipeReport['metrics']
  readonly history: readonly HistoryEpoch[]
  /** Whose weights were kept; null: the last. */
  readonly bestEpoch: number | null
  readonly split: RecipeReport['split']
  readonly left: DataReport['left']
  readonly remarks: DataReport['remarks']
  readonly machine: RecipeReport['machine']
}

/**
 * Collects what a training shows of itself. Figures are written as the cases come and hold no memory; at most 40 cases
 * have some, all are in the tables. The same cases and numbers give the same files, byte for byte.
 */
export interface Report {
  /**
   * Keeps a frame of the animation for this epoch (one that is there already is replaced, so that a resumed training goes
   * on with what was kept). Returns the pictures for whoever looks on: image with truth, image with prediction, as PNG.
   */
  addEpoch(epoch: number, pictures: readonly EpochPicture[]): Promise<{ id: string; png: Uint8Array }[]>
  /** Each scored case once, in any order. */
  addCase(scored: ScoredCase): Promise<void>
  /** Writes curves, animation, cases.csv, report.json and report.html. Nothing can be added afterwards. */
  finish(end: ReportEnd): Promise<RecipeReport>
}
