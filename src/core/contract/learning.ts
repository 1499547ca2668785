import { z } from 'zod'
import './jitless.ts'
import { axisSchema, bytesSchema, idSchema, indexSchema, labelValueSchema, modelSummarySchema } from './schemas.ts'

/**
 * How corrections become model versions: what teaches, what each version was judged by, and what to look at next.
 * Slices are those across the training axis of their case.
 */

/**
 * Of a slice. `corrected`: a person drew on it, or took over what was predicted or imported there; `approved`: a person said
 * that all of it is right. Only these two teach.
 */
export const sliceStateSchema = z.enum(['untouched', 'predicted', 'corrected', 'approved'])
export type SliceState = z.infer<typeof sliceStateSchema>

/**
 * What of a corrected slice teaches: all of it, or only the voxels that strokes in force changed, those close around
 * them, and the parts that were approved. An approved slice teaches as a whole.
 */
export const coverageSchema = z.enum(['whole', 'painted'])
export type Coverage = z.infer<typeof coverageSchema>

/** In pixels of a slice across the training axis, half-open: x along the lower of the two other axes. */
export const sliceRegionSchema = z.object({
  x0: z.int().min(0),
  y0: z.int().min(0),
  x1: z.int().min(1),
  y1: z.int().min(1),
})
export type SliceRegion = z.infer<typeof sliceRegionSchema>

/** The slices of a case by what they are, ascending. A slice is `corrected` and `approved` at the same time where both hold. */
export const sliceMarksSchema = z.object({
  corrected: z.array(indexSchema),
  predicted: z.array(indexSchema),
  approved: z.array(indexSchema),
  /** Of the corrected ones: those that teach only where they were painted. */
  painted: z.array(indexSchema),
})
export type SliceMarks = z.infer<typeof sliceMarksSchema>

/** A slice that is worth looking at, the more the higher `score`; the parts are 0 to 1 among what was ranked. */
export const queuedSliceSchema = z.object({
  caseId: idSchema,
  index: indexSchema,
  score: z.number(),
  /** Mean entropy of its pixels: much where large parts are doubtful. */
  entropy: z.number(),
  /** How far its prediction changes with the look of the picture; null where it was not asked for. */
  disagreement: z.number().nullable(),
  /** How unlike all that the model learned from. */
  novelty: z.number(),
})
export type QueuedSlice = z.infer<typeof queuedSliceSchema>

export const queueSchema = z.object({
  /** The model that was asked; null: nothing is ranked yet. */
  modelId: idSchema.nullable(),
  /** When; ISO. */
  rankedAt: z.string().nullable(),
  /** Best first; slices that were corrected or approved since are gone from it. */
  slices: z.array(queuedSliceSchema),
  /** By case, of its slices in the queue: the highest score. Best first. */
  cases: z.array(z.object({ caseId: idSchema, score: z.number(), slices: z.int() })),
})
export type Queue = z.infer<typeof queueSchema>

/** Cases that no training ever sees. */
export const holdoutSchema = z.object({
  /** Changes with every change of the set: scores of different ids are not compared. Null: there is no hold-out. */
  id: idSchema.nullable(),
  frozenAt: z.string().nullable(),
  chosenBy: z.enum(['user', 'maskwright', 'recipe']).nullable(),
  cases: z.array(
    z.object({
      caseId: idSchema,
      /** Its slices that are corrected as a whole or approved: what models are scored on. */
      slices: z.int().min(0),
      /** Those of them that somebody drew on, or that came from a file, unless the prediction was accepted over it since. */
      drawn: z.int().min(0),
    }),
  ),
  /** Names of cases that are set aside too and off the worklist: they score nothing, and come back as they were. Absent: none. */
  off: z.array(z.string()).optional(),
})
export type Holdout = z.infer<typeof holdoutSchema>

/** Dice of one label, or of all that occur (label null: their mean), of one case. Null where neither has the label. */
const diceSchema = z.object({
  label: labelValueSchema.min(1).nullable(),
  before: z.number().nullable(),
  after: z.number().nullable(),
})

export const verdictSchema = z.enum([
  /** Better on the hold-out by more than its noise. */
  'promoted',
  /** Not better by more than its noise, or worse in a label: kept aside. */
  'aside',
  /** There is no hold-out that could decide; used since the user asked for it. */
  'unproven',
  /** Used by a decision of the user, with a reason. */
  'overridden',
  /** Not scored yet: it was stopped in between. */
  'waiting',
])
export type Verdict = z.infer<typeof verdictSchema>

/** How a version was judged against the one that was in use. */
export const judgementSchema = z.object({
  modelId: idSchema,
  /** The version it was held against; null: the first. */
  againstId: idSchema.nullable(),
  holdoutId: idSchema.nullable(),
  judgedAt: z.string(),
  verdict: verdictSchema,
  /** One sentence for the user. */
  reason: z.string(),
  /** Of an overridden one: what the user said, and when. */
  override: z.object({ reason: z.string(), at: z.string() }).nullable(),
  /** The paired test over cases, or over slices where there are too few cases; null where there was nothing to test. */
  test: z
    .object({
      kind: z.enum(['sign-flip', 'paired-t']),
      unit: z.enum(['case', 'slice']),
      pairs: z.int(),
      /** Mean of after - before. */
      difference: z.number(),
      /** Its standard error. */
      error: z.number(),
      /** One-sided: as large a difference, were the two alike. */
      p: z.number(),
      level: z.number(),
    })
    .nullable(),
  cases: z.array(z.object({ caseId: idSchema, name: z.string(), slices: z.int(), dice: z.array(diceSchema) })),
  /** Means over the cases, by label and of all. */
  mean: z.array(diceSchema),
  seconds: z.number(),
})
export type Judgement = z.infer<typeof judgementSchema>

/** What a version is, beside its card: `models.detail`. */
export const modelDetailSchema = z.object({
  summary: modelSummarySchema,
  /** What it was judged by, the latest first. */
  judgements: z.array(judgementSchema),
  /** What it learned, its ancestors' included: a case, its mask's revision, its image's hash, and how many slices of it. */
  data: z.array(
    z.object({
      caseId: idSchema,
      name: z.string(),
      /** Taken off the worklist since. */
      removed: z.boolean(),
      imageHash: z.string(),
      revision: z.int().nullable(),
      slices: z.int(),
      /** Corrected again since it was learned. */
      changedSince: z.int(),
    }),
  ),
  settings: z.record(z.string(), z.unknown()),
  versions: z.record(z.string(), z.string()).nullable(),
  backend: z.string().nullable(),
  device: z.string().nullable(),
  seconds: z.number().nullable(),
  bytes: z.int().min(0),
})
export type ModelDetail = z.infer<typeof modelDetailSchema>

/** One version on the curves. */
export const timelinePointSchema = z.object({
  modelId: idSchema,
  version: z.int().positive(),
  createdAt: z.string(),
  verdict: verdictSchema.nullable(),
  /** It was in use at some time. */
  used: z.boolean(),
  /** Slices that a person had corrected or approved and it, or an ancestor, had learned. */
  correctedSlices: z.int().min(0),
  /** Training seconds, its ancestors' included. */
  trainingSeconds: z.number(),
  loss: z.number().nullable(),
  /** Mean Dice on the hold-out it was judged by. */
  holdoutDice: z.number().nullable(),
  holdoutId: idSchema.nullable(),
  /** Of what its parent predicted on the slices it newly learned, against what they became: what the user had to correct. */
  correctionDiceBefore: z.number().nullable(),
  /** The same of itself. */
  correctionDiceAfter: z.number().nullable(),
})
export type TimelinePoint = z.infer<typeof timelinePointSchema>

/** Training in the quiet between strokes. */
export const liveStateSchema = z.object({
  on: z.boolean(),
  /** `waiting`: nothing is corrected yet. `paused`: while the pen is down, or something else computes. */
  phase: z.enum(['off', 'starting', 'waiting', 'training', 'paused', 'saving']),
  /** The version it goes on from; null: from nothing. */
  parentId: idSchema.nullable(),
  /** What its predictions are marked with, and the version's id should it be kept. */
  modelId: idSchema.nullable(),
  steps: z.int().min(0),
  /** On the slices it learns from. */
  loss: z.number().nullable(),
  dice: z.number().nullable(),
  slices: z.int().min(0),
  /** Steps since it was last kept as a version. */
  unsavedSteps: z.int().min(0),
  /** A sentence where it had to stop. */
  problem: z.string().nullable(),
})
export type LiveState = z.infer<typeof liveStateSchema>

/** A prediction that is only looked at. */
export const previewSchema = z.object({
  modelId: idSchema,
  axis: axisSchema,
  index: indexSchema,
  width: z.int().positive(),
  height: z.int().positive(),
  data: bytesSchema,
})
export type Preview = z.infer<typeof previewSchema>
