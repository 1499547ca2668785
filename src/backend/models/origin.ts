import { z } from 'zod'
import { idSchema, type ModelSummary } from '../../core/contract/schemas.ts'

/** A state of a slice that a model learned from. */
export interface LearnedSlice {
  readonly caseId: string
  readonly slice: number
  readonly changedSeq: number
}

/** The state of a case that a version newly learned from; it stays readable when the case or the project is gone. */
export const learnedCaseSchema = z.object({
  caseId: idSchema,
  name: z.string(),
  /** SHA-256 of the image, as the worklist knows it. */
  imageHash: z.string(),
  /** Of the mask. */
  revision: z.int().min(0),
  slices: z.int().min(0),
})
export type LearnedCase = z.infer<typeof learnedCaseSchema>

/** How a version was made, beside what its card says. */
export interface Origin {
  readonly parentId: string | null
  /** The slices that it newly learned, replayed ones too; those of its parent are inherited. */
  readonly learned: readonly LearnedSlice[]
  readonly mode: ModelSummary['mode']
  /** What the training was asked for: bounds, seed, learning rate, anchor …; JSON. */
  readonly settings: Readonly<Record<string, unknown>>
  /** The cases of `learned`. */
  readonly data: readonly LearnedCase[]
  /** Mean Dice, on the newly learned slices, of what the parent predicted; null where it was not measured. */
  readonly correctionBefore: number | null
  /** The same of the version itself. */
  readonly correctionAfter: number | null
}
