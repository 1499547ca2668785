import { z } from 'zod'
import { recipeEventSchema, recipeSettingsSchema } from './recipes.ts'
import { bytesSchema, idSchema, jobSchema } from './schemas.ts'

/** What the interface and the backend say of recipes: what is chosen, and how a training stands. */

/** What the user chose; `settings` are those of the preset with what was changed. */
const choiceSchema = z.object({
  /** Its name. */
  recipe: z.string().max(64),
  preset: z.enum(['best', 'article']),
  settings: recipeSettingsSchema,
  /** At most so many cases; null: all. */
  limit: z.int().min(1).nullable().default(null),
  seed: z.int().min(0).default(1),
})

/** A choice with the folder of its cases, as it was picked; null: the folder that the open project was made from. */
export const recipeChoiceSchema = choiceSchema.extend({ folderId: idSchema.nullable() })
export type RecipeChoice = z.infer<typeof recipeChoiceSchema>

/** Of a project that was made from a recipe: with what, and where its cases lie. */
export const projectRecipeSchema = choiceSchema.extend({
  /** For display alone. */
  dataPath: z.string(),
  /** The folder is not where it was. */
  missing: z.boolean(),
})
export type ProjectRecipe = z.infer<typeof projectRecipeSchema>

const epochSchema = z.object(recipeEventSchema.options[1].shape).omit({ event: true, pictures: true })
export type RecipeEpoch = z.infer<typeof epochSchema>

/** All that is known of the training by a recipe that runs, or ran last, in the open project. */
export const recipeTrainingSchema = z.object({
  /** Names the training for as long as it is there, also over interruptions. */
  id: idSchema,
  /** The job that works on it, or did last. */
  jobId: idSchema,
  /** `interrupted`: cancelled, failed, or cut off when Maskwright ended, with epochs that it can go on from. */
  state: z.enum(['queued', 'running', 'interrupted', 'done', 'failed', 'cancelled']),
  choice: choiceSchema,
  start: recipeEventSchema.options[0].omit({ event: true }).nullable(),
  /** In order, the first is epoch 1. */
  epochs: z.array(epochSchema),
  /** Of the last epoch that had some: what is predicted, and the truth. */
  pictures: z.object({ epoch: z.int(), list: z.array(z.object({ id: z.string(), png: bytesSchema })) }).nullable(),
  scoring: z.object({ done: z.int(), of: z.int() }).nullable(),
  metrics: z.record(z.string(), z.number().nullable()).nullable(),
  error: jobSchema.shape.error,
  /** The version that it made. */
  modelId: idSchema.nullable(),
})
export type RecipeTraining = z.infer<typeof recipeTrainingSchema>
