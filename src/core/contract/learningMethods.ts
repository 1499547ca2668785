import { z } from 'zod'
import {
  coverageSchema,
  holdoutSchema,
  judgementSchema,
  liveStateSchema,
  modelDetailSchema,
  previewSchema,
  queueSchema,
  sliceMarksSchema,
  sliceRegionSchema,
  timelinePointSchema,
} from './learning.ts'
import { historySchema, idSchema, indexSchema, jobSchema, modelSummarySchema, strokeDeltaSchema } from './schemas.ts'

const nothing = z.object({})
const modelRef = z.object({ modelId: idSchema })
const savedFile = z.object({ path: z.string(), bytes: z.int() })
/** The slice on screen, predicted first when there is a new model. */
const shownSlice = z.object({ caseId: idSchema, index: indexSchema }).nullable()

/** What corrections become: states of slices, trainings, the hold-out, the registry of versions, the queue. Part of `methods`. */
export const learningMethods = {
  /**
   * A person says that the slice, or a part of it, is right as it is: one undoable step of the case's history. `approved` false takes
   * it back (another step). `index` null: these `slices` of the case, or all where they are null, in one step.
   *
   * Approval is of the mask. With `takeOver`, slices that are predicted, of which nobody has said anything and which were not accepted
   * with the volume get their prediction first, in the same step; voxels of locked labels stay, and so do those that are as a person
   * drew or imported them, in whatever plane. For a region it is a step before: the slice is taken over, and only the
   * region teaches. Without it no voxel changes.
   */
  'slice.approve': {
    params: z.object({
      caseId: idSchema,
      index: indexSchema.nullable(),
      region: sliceRegionSchema.nullable().default(null),
      slices: z.array(indexSchema).min(1).nullable().default(null),
      takeOver: z.boolean().default(false),
      approved: z.boolean(),
    }),
    result: z.object({
      revision: z.int().min(0),
      /** Null where nothing changed. */
      delta: strokeDeltaSchema.nullable(),
      /** Slices that got their prediction. */
      tookOver: z.int().min(0),
      history: historySchema,
      marks: sliceMarksSchema,
    }),
  },
  /** What of a corrected slice teaches. `index` null: what is corrected from now on, in the whole project. */
  'slice.coverage': {
    params: z.object({ caseId: idSchema.nullable(), index: indexSchema.nullable(), coverage: coverageSchema }),
    result: z.object({ coverage: coverageSchema }),
  },

  /** What to look at next, as far as it is ranked. */
  'queue.get': { params: z.object({ limit: z.int().min(1).max(500).default(100) }), result: queueSchema },
  /**
   * Ranks what nobody corrected yet, with the model in use: a job `rank`, then `queue.changed`. `caseIds` null: every case.
   * Ranks by itself when a new model is used and nothing else computes. Throws `no-model`.
   */
  'queue.rank': {
    params: z.object({ caseIds: z.array(idSchema).min(1).nullable().default(null) }),
    result: jobSchema,
  },

  'holdout.get': { params: nothing, result: holdoutSchema },
  /** Cases that could be set aside: none that a model in use, or an ancestor of it, learned from. */
  'holdout.suggest': { params: nothing, result: z.object({ caseIds: z.array(idSchema) }) },
  /**
   * Freezes the hold-out. Scores made with another one are kept and no longer compared. Throws `conflict` with the names where a
   * case was learned from by the model in use or an ancestor of it. An empty list gives the hold-out up.
   */
  'holdout.set': {
    params: z.object({ caseIds: z.array(idSchema), chosenBy: z.enum(['user', 'maskwright']) }),
    result: holdoutSchema,
  },

  /**
   * One click on Retrain: learns what is corrected and approved, replays what was learned before, then holds the new version
   * against the one in use on the hold-out (the same job). A second one waits for the first. Throws `nothing-to-train`.
   */
  'train.start': {
    params: z.object({
      /** Bounds; whichever comes first ends the training. */
      steps: z.int().min(1).max(10_000),
      seconds: z.number().min(1).max(86_400),
      seed: z.int().min(0),
      /** The slice on screen, predicted again first when the new model is there. */
      show: shownSlice,
    }),
    result: jobSchema,
  },
  'live.get': { params: nothing, result: liveStateSchema },
  /**
   * Trains in the quiet between strokes, until it is switched off; `live.changed` tells of it. Switching it off keeps what it
   * learned as a version, judged as any other.
   */
  'live.set': { params: z.object({ on: z.boolean(), show: shownSlice }), result: liveStateSchema },
  /** The slice on screen changed: what Live predicts while it trains. */
  'live.show': { params: z.object({ show: shownSlice }), result: nothing },
  /** The pen is down or up again: nothing trains while it is down. One that was never lifted is taken for lifted after 10 s. */
  'live.pen': { params: z.object({ down: z.boolean() }), result: nothing },

  /** Uses a version from now on: back to one that was in use, one that a judgement promoted, or any other. */
  'models.activate': {
    params: z.object({
      modelId: idSchema,
      /**
       * Why one that its latest judgement kept aside, or that still waits for it, is used all the same; recorded. Throws `conflict` where
       * it is null and no judgement ever promoted the version; one that waits only needs it where it was never in use.
       */
      reason: z.string().trim().min(1).max(2000).nullable().default(null),
    }),
    result: modelSummarySchema,
  },
  'models.detail': { params: modelRef, result: modelDetailSchema },
  /** Holds a version against the one in use on the hold-out: a job `judge`; nothing is promoted by it. */
  'models.judge': { params: modelRef, result: jobSchema },
  'models.describe': {
    params: z.object({
      modelId: idSchema,
      name: z.string().trim().min(1).max(120).optional(),
      notes: z.string().max(20_000).optional(),
      tags: z.array(z.string().trim().min(1).max(40)).max(20).optional(),
    }),
    result: modelSummarySchema,
  },
  /** Deletes the weights of versions; what is known of them stays. Throws `conflict` where the one in use is among them. */
  'models.prune': {
    params: z.object({ modelIds: z.array(idSchema).min(1) }),
    result: z.object({ freedBytes: z.int(), models: z.array(modelSummarySchema) }),
  },
  /** Writes a version as one file; `fileId` null: into the project's exports/ folder. Read back and compared. */
  'models.export': { params: modelRef.extend({ fileId: idSchema.nullable() }), result: savedFile },
  /** Adds a version from such a file; it is not used until it is chosen. Throws `bad-file`; `conflict` where it is there already. */
  'models.importVersion': { params: z.object({ fileId: idSchema }), result: modelSummarySchema },
  /** What a version predicts of a slice; nothing is kept. */
  'models.preview': { params: modelRef.extend({ caseId: idSchema, index: indexSchema }), result: previewSchema },
  /** All versions on the curves, the oldest first. */
  'models.timeline': { params: nothing, result: z.object({ points: z.array(timelinePointSchema) }) },
  'models.saveTimeline': {
    params: z.object({ format: z.enum(['csv', 'svg']), fileId: idSchema.nullable() }),
    result: savedFile,
  },
  /** What each version that is still there predicts of a slice, one after the other, as an animated GIF. */
  'models.animation': {
    params: z.object({ caseId: idSchema, index: indexSchema, fileId: idSchema.nullable() }),
    result: savedFile.extend({ frames: z.int() }),
  },
  'models.judgement': { params: modelRef, result: z.object({ judgement: judgementSchema.nullable() }) },
} as const satisfies Record<string, { params: z.ZodType; result: z.ZodType }>
