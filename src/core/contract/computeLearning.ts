import { z } from 'zod'
import { modelCardSchema, modelLabelSchema, slicePlaneSchema } from './modelCard.ts'
import {
  axisSchema,
  boxSchema,
  bytesSchema,
  dimsSchema,
  idSchema,
  indexSchema,
  labelValueSchema,
  sliceDataSchema,
} from './schemas.ts'

/**
 * What compute keeps of open cases, and the trainings and examinations that use it. What is kept is a copy: a process
 * that starts anew has none, answers `not-resident`, and is given it again.
 */

/** In whatever memory they lie; `z.instanceof` would ask for an ArrayBuffer of their own. */
const floatsSchema = z.custom<Float32Array>((value) => value instanceof Float32Array)
const wordsSchema = z.custom<Uint32Array>((value) => value instanceof Uint32Array)

/** One slice as the network sees it: raw samples, their scaling, and the intensities that become 0 and 1. */
export const computeSliceSchema = sliceDataSchema.extend({
  index: indexSchema,
  /** Scaled intensities mapped to 0 and 1 (the case's robust percentiles); values beyond are clipped. */
  low: z.number(),
  high: z.number(),
})
export type ComputeSlice = z.infer<typeof computeSliceSchema>

/** `slices` is null for a single picture. */
export const sliceGeometrySchema = z.object({
  plane: slicePlaneSchema,
  columns: z.number().positive(),
  rows: z.number().positive(),
  slices: z.number().positive().nullable(),
})
export type SliceGeometry = z.infer<typeof sliceGeometrySchema>

/** How a sample counts in a training, beside what it shows. */
const lessonSchema = z.object({
  /** `corrected`: the newest of what a person corrected or approved; `replay` keeps what was learned before. */
  role: z.enum(['corrected', 'replay']),
  /** One byte a pixel, height x width as the network sees it: 1 teaches, 0 does not. Absent: all of it teaches. */
  trusted: bytesSchema.optional(),
  /** How often it is drawn, against others of its role; 1 unless given. */
  weight: z.number().positive().optional(),
  /** Labels that there were not yet when the slice was annotated: its background may be one of them. None unless given. */
  later: z.array(labelValueSchema).optional(),
})

export const trainingSampleSchema = computeSliceSchema.extend({
  /** One label a pixel, height x width. */
  labels: bytesSchema,
  ...lessonSchema.shape,
  /** How the slice lies in the body, and how far apart its columns, rows and neighbouring slices are, in mm. */
  geometry: sliceGeometrySchema.nullish(),
})
export type TrainingSample = z.infer<typeof trainingSampleSchema>

/** A slice of a case that compute keeps: its picture was sent by `keepSlices`, its labels are those of `openCase`, patched. */
export const keptSampleSchema = lessonSchema.extend({ caseId: idSchema, index: indexSchema })
export type KeptSample = z.infer<typeof keptSampleSchema>

/** In place of samples or beside them. */
export const lessonsSchema = z.object({
  samples: z.array(trainingSampleSchema).default([]),
  kept: z.array(keptSampleSchema).default([]),
})

/** Between the voxel order of a file and the way the network sees a slice, as `PlaneView` of core/geometry says. */
export const networkLayoutSchema = z.object({
  sliceAxis: axisSchema,
  columnAxis: axisSchema,
  rowAxis: axisSchema,
  flipColumns: z.boolean(),
  flipRows: z.boolean(),
  width: z.int().positive(),
  height: z.int().positive(),
})
export type NetworkLayout = z.infer<typeof networkLayoutSchema>

/** How a training goes on from its parent. What is left out is chosen by the kind of network and of training. */
export const continuingSchema = z.object({
  /** Peak of the learning rate. */
  learningRate: z.number().positive().optional(),
  /** Pull towards the parent's weights (L2-SP): each step takes learning rate x this of the distance away. 0: none. */
  anchor: z.number().min(0).optional(),
  /** Share of the patches that comes from the newest corrections, where there is something to replay. */
  correctedShare: z.number().min(0).max(1).optional(),
})
export type Continuing = z.infer<typeof continuingSchema>

/** Pixels of one label in one slice. */
const overlapSchema = z.object({
  label: labelValueSchema,
  both: z.int().min(0),
  predicted: z.int().min(0),
  truth: z.int().min(0),
})

export const learningComputeMethods = {
  /**
   * Keeps the labels of a case, all of them, until `closeCase`: raw deflate of one byte a voxel in file order. Known already:
   * replaced. What does not fit into the memory that is kept for this is dropped, the least used first.
   */
  openCase: {
    params: z.object({
      caseId: idSchema,
      dims: dimsSchema,
      layout: networkLayoutSchema,
      revision: z.int().min(0),
      labels: bytesSchema,
    }),
    result: z.object({}),
  },
  /**
   * The same stroke that the journal holds. Throws `not-resident` where the case is not kept or is at another revision than
   * the one before; a revision that is known already changes nothing.
   */
  patchCase: {
    params: z.object({ caseId: idSchema, revision: z.int().min(1), box: boxSchema, runs: wordsSchema }),
    result: z.object({ revision: z.int().min(0) }),
  },
  /** Keeps pictures of slices of a case that is kept. Throws `not-resident`. */
  keepSlices: {
    params: z.object({
      caseId: idSchema,
      slices: z.array(computeSliceSchema).min(1),
      geometry: sliceGeometrySchema.nullable(),
    }),
    result: z.object({}),
  },
  closeCase: { params: z.object({ caseId: idSchema }), result: z.object({}) },

  /**
   * Begins a training that goes on until `liveClose`, and does nothing yet; one at a time, a second replaces the first.
   * Throws `bad-file` where the parent cannot be trained.
   */
  liveOpen: {
    params: z.object({
      /** null: a new network from scratch. */
      parentDir: z.string().nullable(),
      modelId: idSchema,
      labels: z.array(modelLabelSchema).min(1),
      seed: z.int().min(0),
      continuing: continuingSchema.default({}),
    }),
    result: z.object({}),
  },
  /**
   * Trains for so long, or until it is cancelled: then it ends within a step and answers what it did, and all that was learned
   * stays. `lessons` null: as last time. `show` is predicted at the end. Throws `not-resident`; `compute-failed` where the
   * loss is no longer a number, and the training is then closed.
   */
  liveRun: {
    params: z.object({
      modelId: idSchema,
      lessons: lessonsSchema.nullable(),
      milliseconds: z.number().min(0).max(60_000),
      show: computeSliceSchema.nullable(),
    }),
    result: z.object({
      steps: z.int().min(0),
      /** Of the last step; null where there was none. */
      loss: z.number().nullable(),
      /** On what it learns from, measured now and then; null where it was not. */
      dice: z.number().nullable(),
      shown: z.object({ index: indexSchema, labels: bytesSchema, entropy: bytesSchema }).nullable(),
    }),
  },
  /** Writes what was learned so far as a complete model folder, or nothing; the training may go on. */
  liveSave: {
    params: z.object({
      modelId: idSchema,
      outDir: z.string(),
      name: z.string(),
      createdAt: z.string(),
      parentId: idSchema.nullable(),
    }),
    result: z.object({ card: modelCardSchema }),
  },
  liveClose: { params: z.object({ modelId: idSchema }), result: z.object({}) },

  /** Holds what a model predicts against labels, slice by slice, in the order of samples, then kept ones. Sends `progress`. */
  score: {
    params: lessonsSchema.extend({ modelDir: z.string() }),
    result: z.object({
      /** By slice: every label that is predicted or true there, background too, over the pixels that teach. */
      slices: z.array(z.object({ overlaps: z.array(overlapSchema), changed: z.int().min(0) })),
      seconds: z.number(),
    }),
  },
  /**
   * How unsure a model is of slices, and how it sees them. `score`: the mean entropy of its pixels, 0 to 1. `disagreement`: the
   * share of its pixels whose label changes when the picture is moved by a few pixels and made lighter or darker.
   * `features`: what the deepest layer says of it, L2-normalized, by which slices are told to be alike. Sends `progress`.
   */
  examine: {
    params: z.object({
      modelDir: z.string(),
      slices: z.array(computeSliceSchema).min(1),
      disagreement: z.boolean().default(false),
    }),
    result: z.object({
      slices: z.array(
        z.object({
          index: indexSchema,
          labels: bytesSchema,
          entropy: bytesSchema,
          score: z.number(),
          disagreement: z.number().nullable(),
          features: floatsSchema,
        }),
      ),
    }),
  },
  /** One picture after the other as an animated GIF: a slice with the contours of labels over it, and a line of words. */
  animate: {
    params: z.object({
      slice: computeSliceSchema,
      /** Of what its pixels are not square; absent: they are. */
      geometry: sliceGeometrySchema.nullish(),
      frames: z.array(z.object({ labels: bytesSchema, words: z.string() })).min(1),
      /** #rrggbb. Labels that are not among them are not drawn. */
      colors: z.array(z.object({ label: labelValueSchema.min(1), color: z.string() })),
    }),
    result: z.object({ gif: bytesSchema }),
  },
  /** A chart of lines as SVG, letters as paths, so that it looks the same everywhere. */
  chart: {
    params: z.object({
      title: z.string(),
      x: z.string(),
      y: z.string(),
      series: z
        .array(z.object({ name: z.string(), points: z.array(z.object({ x: z.number(), y: z.number() })) }))
        .min(1),
    }),
    result: z.object({ svg: z.string() }),
  },
} as const satisfies Record<string, { params: z.ZodType; result: z.ZodType }>
