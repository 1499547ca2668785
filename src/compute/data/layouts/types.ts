import type { CaseFiles } from '../../recipes/types.ts'

/** A case as a layout finds it, by names alone: nothing is read yet. */
export interface FoundCase extends Omit<CaseFiles, 'patient'> {
  /** Where the layout says who it is of. */
  readonly patient: string | null
  /** The layout says that it is there to be tested on. */
  readonly heldOut: boolean
  /** The values of the mask number objects. null: to be found out. */
  readonly numbered: boolean | null
}

export interface LeftFile {
  readonly file: string
  readonly reason: string
}

export interface FoundData {
  readonly cases: readonly FoundCase[]
  /** What belongs to no case, and why. */
  readonly left: readonly LeftFile[]
}

/** null where the folder is not laid out so. */
export type Layout = (dir: string) => Promise<FoundData | null>
