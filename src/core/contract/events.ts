import { z } from 'zod'
import { caseSummarySchema } from './caseSchemas.ts'
import { holdoutSchema, judgementSchema, liveStateSchema, queueSchema, sliceMarksSchema } from './learning.ts'
import { recipeEventSchema } from './recipes.ts'
import {
  computeStatusSchema,
  historySchema,
  idSchema,
  indexSchema,
  axisSchema,
  bytesSchema,
  jobSchema,
  labelSchema,
  modelSummarySchema,
  strokeDeltaSchema,
} from './schemas.ts'

/** All that the backend tells without being asked. One-way; a client that missed some is told to read afresh. */
export const events = {
  'project.changed': z.object({ cases: z.array(caseSummarySchema) }),
  'labels.changed': z.object({ labels: z.array(labelSchema) }),
  'models.changed': z.object({ models: z.array(modelSummarySchema) }),
  /** The mask was changed, by whomever: `origin` is the session that did it, null for the backend itself. */
  'annotation.applied': z.object({
    caseId: idSchema,
    revision: z.int().min(0),
    delta: strokeDeltaSchema,
    history: historySchema,
    origin: z.string().nullable(),
  }),
  /** What the slices of a case are has changed (indices across its training axis). */
  'case.slices': z.object({
    caseId: idSchema,
    ...sliceMarksSchema.shape,
  }),
  /** New predicted slices across the training axis; the one on screen comes first and alone. */
  'prediction.slices': z.object({
    caseId: idSchema,
    modelId: idSchema,
    axis: axisSchema,
    revision: z.int().min(0),
    slices: z.array(
      z.object({
        index: indexSchema,
        data: bytesSchema,
        /** One byte a voxel, 0 sure and 255 all labels equally likely; absent where it was not asked for. */
        uncertainty: bytesSchema.optional(),
      }),
    ),
  }),
  'live.changed': liveStateSchema,
  'queue.changed': queueSchema,
  'holdout.changed': holdoutSchema,
  'model.judged': judgementSchema,
  /** Of the training by a recipe; what came before is in `recipes.state`. */
  'recipe.event': z.object({ trainingId: idSchema, jobId: idSchema, event: recipeEventSchema }),
  /** The training was begun, interrupted, taken up again, given up or finished: `recipes.state` has changed. */
  'recipe.changed': z.object({ trainingId: idSchema.nullable() }),
  /** Another project is open from now on: nothing that was known of the last one holds. */
  'project.opened': z.object({ id: idSchema, name: z.string() }),
  'job.changed': z.object({ job: jobSchema }),
  'compute.status': computeStatusSchema,
  /** What the user did not ask for and should know: shown as a toast. */
  notice: z.object({ level: z.enum(['info', 'warning', 'error']), message: z.string() }),
} as const satisfies Record<string, z.ZodType>

export type Events = typeof events
export type EventName = keyof Events
export type EventPayload<E extends EventName> = z.output<Events[E]>

/** Something that tells events; the backend has one, each connection subscribes. */
export interface EventSource {
  on(listener: (name: EventName, payload: unknown) => void): () => void
}
