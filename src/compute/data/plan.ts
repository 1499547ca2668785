import type { NetworkInput } from '../../core/contract/network.ts'
import type { InputSettings } from '../../core/contract/recipes.ts'
import type { MaskRules } from '../../imaging/index.ts'
import type { MaskFiles } from './caseReader.ts'
import type { SlicePlane } from './planes.ts'
import type { WeightMapSettings } from './weightMap.ts'

/**
 * What it takes to read the pictures of one part of the data, whoever reads them. Plain data: threads get a copy. The one that batches
 * are drawn from names the files of the training part and no others.
 */
export interface ReadingPlan {
  readonly cases: readonly PlanCase[]
  readonly slices: readonly PlanSlice[]
  readonly rules: MaskRules
  /** Label values in the order of the classes: class c > 0 is labels[c - 1]. */
  readonly labels: readonly number[]
  readonly channels: 1 | 3
  readonly input: NetworkInput
  readonly resize: InputSettings['resize']
  /** Width in pixels of the border class, the last one; null: there is none. */
  readonly border: number | null
  readonly weights: WeightMapSettings | null
  /** Bytes of pictures and volumes that may be kept, of each reader; what does not fit is drawn from in turn. */
  readonly cacheBytes: number
}

export interface PlanCase extends MaskFiles {
  readonly id: string
  readonly image: string
  /** Scaled intensities that become 0 and 1, where they are taken from the case. */
  readonly low: number
  readonly high: number
  /** About as much memory as it takes while it is open. */
  readonly bytes: number
}

export interface PlanSlice {
  /** Place in `cases`. */
  readonly case: number
  readonly plane: SlicePlane
  readonly index: number
  /** In pixels of the network's input. */
  readonly width: number
  readonly height: number
  /** Pixels of each label, before resizing, in the order of `labels`. */
  readonly counts: readonly number[]
}
