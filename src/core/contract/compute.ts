import { z } from 'zod'
import {
  bytesSchema,
  computeDeviceSchema,
  curvePointSchema,
  dimsSchema,
  doctorReportSchema,
  indexSchema,
  labelValueSchema,
  providerSchema,
  rungSchema,
} from './schemas.ts'
import { computeSliceSchema, continuingSchema, learningComputeMethods, lessonsSchema } from './computeLearning.ts'
import { wireErrorSchema } from './errors.ts'
import { modelCardSchema, modelLabelSchema } from './modelCard.ts'
import { networkFactsSchema, networkMeaningSchema } from './network.ts'
import {
  caseScoresSchema,
  dataReportSchema,
  inferenceSettingsSchema,
  instanceSettingsSchema,
  recipeEventSchema,
  recipeSchema,
  recipeSettingsSchema,
} from './recipes.ts'

export type { ComputeSlice, KeptSample, SliceGeometry, TrainingSample } from './computeLearning.ts'
export { PERCENTILE_INPUT, readModelCard } from './modelCard.ts'
export type { ModelCard } from './modelCard.ts'
export type { NetworkFacts, NetworkInput, NetworkMeaning, NetworkUse, StatedFacts } from './network.ts'

/**
 * What host and compute process say to each other, as length-prefixed msgpackr frames over one duplex pipe (file
 * descriptor 3 of the compute process). What the compute process keeps of a project is a copy that it can be given again:
 * a crash loses one request and nothing else.
 */

/** What a recipe is asked to be trained on. `settings` are those of the preset with what was changed. */
export const recipeOrderSchema = z.object({
  recipe: recipeSchema,
  preset: z.enum(['best', 'article']),
  settings: recipeSettingsSchema,
  /** Absolute. */
  dataDir: z.string(),
  /** At most so many cases, spread evenly over those that are there; null: all. */
  limit: z.int().min(1).nullable(),
  seed: z.int().min(0),
})
export type RecipeOrder = z.infer<typeof recipeOrderSchema>

export const computeMethods = {
  /** Answered once the backend is chosen, self-tested and warm. */
  status: {
    params: z.object({}),
    result: z.object({
      backend: rungSchema,
      /** Of the rung `native`: what ONNX Runtime computes on. */
      provider: providerSchema.nullish(),
      threads: z.int(),
      device: computeDeviceSchema,
      /** The choice came from the cache. */
      cached: z.boolean(),
      versions: z.record(z.string(), z.string()),
    }),
  },
  doctor: {
    params: z.object({
      /** Try every rung again, whatever is known of it. */
      fresh: z.boolean().default(false),
      /** Try none, and tell what is known: what is tried takes time from a job that runs. */
      known: z.boolean().default(false),
    }),
    result: doctorReportSchema,
  },
  predict: {
    params: z.object({
      modelDir: z.string(),
      slices: z.array(computeSliceSchema).min(1),
      /** Also how unsure each label is. */
      entropy: z.boolean().default(false),
    }),
    /**
     * In the order asked, one byte a pixel: labels, and where it was asked for the entropy of the classes' probabilities, 0
     * sure and 255 all of them equally likely.
     */
    result: z.object({
      slices: z.array(z.object({ index: indexSchema, labels: bytesSchema, entropy: bytesSchema.optional() })),
      seconds: z.number(),
    }),
  },
  /**
   * Writes a complete model folder at `outDir` (temporary name, then renamed) or nothing. Sends `progress`. Throws
   * `not-resident` for a kept sample that is not kept.
   */
  train: {
    params: z.object({
      /** null: a new network from scratch. */
      parentDir: z.string().nullable(),
      outDir: z.string(),
      modelId: z.string(),
      name: z.string(),
      createdAt: z.string(),
      /** Labels of the new model. More than the parent's: its head grows and keeps what it knew. */
      labels: z.array(modelLabelSchema).min(1),
      ...lessonsSchema.shape,
      steps: z.int().min(1),
      seconds: z.number().min(0.1),
      seed: z.int().min(0),
      /** What the card shall say trained it. */
      recipe: z.string().default('interactive'),
      continuing: continuingSchema.default({}),
    }),
    result: z.object({ card: modelCardSchema }),
  },
  /**
   * Looks through the data of a recipe as a training would: every file is read. Sends `progress`. Throws `nothing-to-train`
   * where no case is left, `file-missing` where the folder is not there.
   */
  checkData: {
    params: recipeOrderSchema.extend({ thumbnails: z.int().min(0).max(60).default(0) }),
    result: dataReportSchema,
  },
  /** A sheet of patches as the training will see them, one PNG: pictures with the contour of their labels. */
  augmentationSheet: {
    params: recipeOrderSchema.extend({ rows: z.int().min(1).max(12), columns: z.int().min(1).max(12) }),
    result: z.object({ png: bytesSchema }),
  },
  /**
   * The cases of a recipe's data by their files, without those that a training would leave out. Sends `progress`. Throws as
   * `checkData`.
   */
  listCases: {
    params: recipeOrderSchema,
    result: z.object({
      cases: z.array(
        z.object({
          id: z.string(),
          /** A training learns from it or chooses its weights by it, or for a volume whose slices are parted by some of them. */
          learned: z.boolean(),
          /** Absolute, and so are the masks: one label map, or one file for each object. */
          image: z.string(),
          masks: z.array(z.string()).min(1),
        }),
      ),
      labels: z.array(modelLabelSchema),
    }),
  },
  /** What a case of `listCases` is, as label values: one byte a voxel in the voxel order of its image. */
  readTruth: {
    params: z.object({
      recipe: recipeSchema,
      settings: recipeSettingsSchema,
      image: z.string(),
      masks: z.array(z.string()).min(1),
    }),
    result: z.object({ dims: dimsSchema, labels: bytesSchema }),
  },
  /**
   * Trains by a recipe and writes a complete model folder with history, figures and report at `outDir`, or nothing there.
   * What is needed to go on is kept beside it, in `outDir` + '.training', until it is done. Sends `progress` with events.
   * Throws `conflict` where `outDir` exists, or where a training was interrupted and `resume` is not said.
   */
  trainRecipe: {
    params: recipeOrderSchema.extend({
      outDir: z.string(),
      modelId: z.string(),
      name: z.string(),
      createdAt: z.string(),
      resume: z.boolean(),
      /** Epochs tell what is predicted for a few pictures, as PNG. */
      pictures: z.boolean().default(false),
      /** Folders of other models of the recipe, which the report shows beside this one. */
      compare: z.array(z.string()).max(8).default([]),
      /** One that cannot stand beside it is refused before the first step; else it is left out of the report, with a notice. */
      refuseOthers: z.boolean().optional(),
    }),
    result: z.object({
      card: modelCardSchema,
      metrics: z.record(z.string(), z.number().nullable()),
      cases: z.array(caseScoresSchema),
    }),
  },
  /**
   * Predicts an image file as the card of the model, or `inference` besides, says, and writes the mask at `output` (and
   * what else is asked for beside it), each verified. Sends `progress`.
   */
  predictFile: {
    params: z.object({
      modelDir: z.string(),
      /** Absolute. */
      input: z.string(),
      output: z.string(),
      /** Absent: as the card says. */
      inference: inferenceSettingsSchema.optional(),
      /** How objects are told apart; absent, or null: as the card says, or else by their distances. */
      objects: instanceSettingsSchema.nullable().optional(),
      /** Writes STEM.probabilities.nii.gz or .tiff (a channel a class) and STEM.entropy beside the mask. */
      probabilities: z.boolean(),
      /** The mask holds the numbers of objects, 16 or 32 bits; a table of them is written beside it. */
      instances: z.boolean(),
    }),
    result: z.object({ files: z.array(z.string()), objects: z.int().nullable() }),
  },
  /**
   * Reads an ONNX file and runs it, in a process of its own. Throws `bad-file` with the reason where it is no network that
   * segments single pictures, `compute-failed` where ONNX Runtime cannot be used on this computer.
   */
  inspectNetwork: { params: z.object({ file: z.string() }), result: networkFactsSchema },
  /**
   * Writes a complete model folder for prediction at `outDir`, or nothing; `facts` are what inspectNetwork found.
   * `maxDifference`: between what the file gave then and what the written model gives, relative to the largest value.
   */
  importNetwork: {
    params: z.object({
      file: z.string(),
      facts: networkFactsSchema,
      outDir: z.string(),
      modelId: z.string(),
      createdAt: z.string(),
      meaning: networkMeaningSchema,
      /** Label values of the classes, in their order. */
      values: z.array(labelValueSchema.min(1)).min(1),
    }),
    result: z.object({ card: modelCardSchema, maxDifference: z.number() }),
  },
  /** Writes the network of a model folder as an ONNX file, or nothing. `maxDifference` as above. */
  exportNetwork: {
    params: z.object({ modelDir: z.string(), file: z.string() }),
    result: z.object({ maxDifference: z.number() }),
  },
  ...learningComputeMethods,
} as const satisfies Record<string, { params: z.ZodType; result: z.ZodType }>
export type ComputeMethods = typeof computeMethods
export type ComputeMethod = keyof ComputeMethods

/** Of `train`: steps done and planned. Of `predict`: the share that is done, as steps out of so many; no point. */
export const computeProgressSchema = z.object({
  step: z.int(),
  steps: z.int(),
  point: curvePointSchema.nullable(),
  secondsLeft: z.number().nullable(),
  /** Of `trainRecipe`. */
  event: recipeEventSchema.optional(),
})
export type ComputeProgress = z.infer<typeof computeProgressSchema>

/** Host to compute. */
export const computeRequestSchema = z.discriminatedUnion('t', [
  z.object({ t: z.literal('call'), id: z.int(), method: z.string(), params: z.unknown() }),
  z.object({ t: z.literal('cancel'), id: z.int() }),
  z.object({ t: z.literal('ping'), id: z.int() }),
])
export type ComputeRequest = z.infer<typeof computeRequestSchema>

/** Compute to host. */
export const computeReplySchema = z.discriminatedUnion('t', [
  z.object({ t: z.literal('ok'), id: z.int(), result: z.unknown() }),
  z.object({ t: z.literal('error'), id: z.int(), error: wireErrorSchema }),
  z.object({ t: z.literal('progress'), id: z.int(), progress: computeProgressSchema }),
  /** `rssMB`: the memory that the process holds at this moment. */
  z.object({ t: z.literal('pong'), id: z.int(), rssMB: z.number().optional() }),
  /** What the user should know and no call answers: a smaller batch, say. */
  z.object({ t: z.literal('notice'), level: z.enum(['info', 'warning']), message: z.string() }),
])
export type ComputeReply = z.infer<typeof computeReplySchema>
