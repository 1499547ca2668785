import { z } from 'zod'
import {
  affineSchema,
  axisSchema,
  dimsSchema,
  idSchema,
  imageSelectionSchema,
  jobSchema,
  labelSchema,
  modelSummarySchema,
  tileRegionSchema,
  vec3Schema,
  voxelTypeSchema,
} from './schemas.ts'
import { coverageSchema, sliceMarksSchema } from './learning.ts'

/** A case as the worklist shows it; the conventions are those of `schemas.ts`. */
export const caseSummarySchema = z.object({
  id: idSchema,
  name: z.string(),
  /** `slide`: too large to be held at once; shown tile by tile, annotated in regions, which are cases of their own. */
  kind: z.enum(['volume', 'image', 'slide']),
  dims: dimsSchema,
  channels: z.union([z.literal(1), z.literal(3)]),
  /** `imported`: all of the mask came from files. `approved`: every slice is. `saved`: a file holds the mask as it is. */
  status: z.enum(['untouched', 'predicted', 'imported', 'corrected', 'approved', 'saved']),
  /** Slices across the training axis that a person corrected or accepted and did not approve: none is also an approved one. */
  correctedSlices: z.int().min(0),
  /**
   * Slices that were corrected or approved, or changed, since the active model was trained: what one click on Retrain would newly learn.
   * 0 in the hold-out.
   */
  newCorrectedSlices: z.int().min(0),
  /** Slices across the training axis of which a person said that all is right. */
  approvedSlices: z.int().min(0),
  /** It belongs to the hold-out: models are scored on it, and none learns from it. */
  heldOut: z.boolean(),
  /** The image file is not where it was; the interface asks for it. */
  missing: z.boolean(),
  /** Of a case that is a region of a slide on the worklist: which one, and where on it. */
  regionOf: z.object({ slideId: idSchema, region: tileRegionSchema }).nullish(),
})
export type CaseSummary = z.infer<typeof caseSummarySchema>

export const cautionSchema = z.object({
  kind: z.enum(['two-positions', 'sheared', 'no-orientation', 'gaps']),
  message: z.string(),
  /** Of `two-positions`: what could be used instead. */
  other: z.enum(['sform', 'qform']).nullable(),
})
export type Caution = z.infer<typeof cautionSchema>

export const caseDetailSchema = caseSummarySchema.extend({
  /** For display alone; never sent back. */
  sourcePath: z.string(),
  /** mm; [1, 1, 1] where the file does not say. */
  spacing: vec3Schema,
  spacingKnown: z.boolean(),
  affine: affineSchema.nullable(),
  /** Three letters, the direction in which each voxel axis grows, e.g. "LPS"; null for 2-D images. */
  orientation: z.string().length(3).nullable(),
  voxelType: voxelTypeSchema,
  /** Display window from robust percentiles, in scaled intensity. */
  window: z.object({ center: z.number(), width: z.number().positive() }),
  /** Smallest and largest scaled intensity. */
  range: z.object({ min: z.number(), max: z.number() }),
  /** The voxel axis across which axial slices lie, also the axis that models predict and train across. */
  trainingAxis: axisSchema,
  revision: z.int().min(0),
  warnings: z.array(z.string()),
  /** What the user is told before annotating, and must have seen: masks could come to lie in the wrong place. */
  cautions: z.array(cautionSchema),
  cautionsSeen: z.boolean(),
  selection: imageSelectionSchema,
  /** Of a slide. */
  tiles: z
    .object({
      width: z.int().positive(),
      height: z.int().positive(),
      /** Level 0 is the full image; level L is smaller by `downsample`. */
      levels: z
        .array(z.object({ width: z.int().positive(), height: z.int().positive(), downsample: z.number().positive() }))
        .min(1),
    })
    .nullable(),
  /** Indices across `trainingAxis`, ascending. */
  ...sliceMarksSchema.shape,
})
export type CaseDetail = z.infer<typeof caseDetailSchema>

export const projectSchema = z.object({
  id: idSchema,
  name: z.string(),
  /** For display alone. */
  path: z.string(),
  labels: z.array(labelSchema),
  cases: z.array(caseSummarySchema),
  models: z.array(modelSummarySchema),
  jobs: z.array(jobSchema),
  /** The case that was open last. */
  lastCaseId: idSchema.nullable(),
  isDemo: z.boolean(),
  /** What of a slice teaches that is corrected from now on. */
  coverage: coverageSchema,
})
export type Project = z.infer<typeof projectSchema>
