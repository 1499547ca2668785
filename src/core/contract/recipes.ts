import { z } from 'zod'
import { labelValueSchema } from './schemas.ts'

/**
 * A recipe: how the cases of a published task lie in folders, what their masks mean, and the settings to train with. The
 * files are resources/recipes/NAME.json; docs/recipes.md describes every setting. Each setting can be given on the command
 * line by its dotted name (`--set model.base=16`).
 */

const share = z.number().min(0).max(1)
const ordered = ([low, high]: [number, number]): boolean => low <= high
const NOT_ORDERED = 'the first must not exceed the second'
const range = z.tuple([z.number(), z.number()]).refine(ordered, NOT_ORDERED)
const factor = z.number().min(0.01).max(100)
const factors = z.tuple([factor, factor]).refine(ordered, NOT_ORDERED)

export const modelSettingsSchema = z.object({
  /**
   * `unet`: two convolutions a level; with valid convolutions, transposed up-sampling and 4 levels of base 64 the network of
   * the paper. `unet-inception`: Inception blocks in the contracting path.
   */
  kind: z.enum(['unet', 'unet-inception']),
  /** Down-samplings. */
  levels: z.int().min(1).max(6),
  /** Channels of the first level, doubled at each level below. */
  base: z.int().min(1).max(128),
  /** `valid`: the result is smaller than the picture, as in the paper. */
  convolutions: z.enum(['same', 'valid']).default('same'),
  normalization: z.enum(['none', 'instance', 'group', 'batch']),
  upsampling: z.enum(['nearest', 'transposed']),
  /** Share of the values dropped in training, at the end of the contracting path (the two deepest levels). */
  dropout: z.number().min(0).max(0.9).default(0),
  /** A folder with a layers model whose weights the contracting path begins with, where names and shapes agree. */
  encoder: z.string().nullable().default(null),
})

/** How pixels are brought to the network. */
export const inputSettingsSchema = z.object({
  colour: z.enum(['grey', 'rgb']),
  /**
   * `percentile`: of the case, to 0 and 1. `zscore`: mean 0, deviation 1 of each slice. `fitted`: less the mean, divided by
   * the deviation, of each channel over the training part. `window`: from … to become 0 and 1.
   */
  normalization: z.discriminatedUnion('kind', [
    z.object({ kind: z.enum(['percentile', 'zscore', 'fitted', 'none']) }),
    z.object({ kind: z.literal('window'), from: z.number(), to: z.number() }),
  ]),
  /** Pictures are scaled by `factor`, or to one size, before they go in; what comes out is scaled back. */
  resize: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('none') }),
    z.object({ kind: z.literal('factor'), factor: z.number().min(0.05).max(8) }),
    z.object({ kind: z.literal('fit'), width: z.int().min(8).max(4096), height: z.int().min(8).max(4096) }),
  ]),
})

export const lossSettingsSchema = z.object({
  kind: z.enum([
    'cross-entropy',
    'dice',
    'batch-dice',
    'dice-cross-entropy',
    'picture-dice-cross-entropy',
    'tversky',
    'focal',
    'focal-tversky',
    'mean-squared-error',
  ]),
  /** The output's activation: classes that exclude each other, one probability for each label, or values cut at 0. */
  output: z.enum(['softmax', 'sigmoid', 'relu']),
  /** Of the sums of Dice and cross-entropy: what the cross-entropy counts, where Dice counts 1. */
  crossEntropy: z.number().min(0).max(10).default(1),
  /** Of Tversky: what a false positive and a false negative cost. */
  alpha: share.default(0.3),
  beta: share.default(0.7),
  /** Of the focal losses. */
  gamma: z.number().min(0).max(5).default(2),
  /** Pixels close to two objects weigh more (the U-Net paper, equation 2); `w0` 0: class balance alone. */
  weightMap: z
    .object({ w0: z.number().min(0), sigma: z.number().positive() })
    .nullable()
    .default(null),
})

export const optimizerSettingsSchema = z.object({
  kind: z.enum(['sgd', 'adam', 'adamw']),
  /** Peak of the learning rate. */
  rate: z.number().positive(),
  /** Of SGD. */
  momentum: z.number().min(0).max(0.999).default(0.9),
  /** Decoupled weight decay of AdamW. */
  decay: z.number().min(0).default(0),
  /** Bound of the gradients' global norm; 0: none. */
  clip: z.number().min(0).default(5),
  schedule: z.enum(['constant', 'cosine', 'one-cycle', 'plateau']),
  /** Of `plateau`: epochs without a better validation loss before the rate falls, and the factor that it falls by. */
  patience: z.int().min(1).default(5),
  factor: z.number().min(0.01).max(0.99).default(0.5),
})

/** Each 0 or empty where it is not wanted; ranges are drawn from evenly. */
export const augmentationSettingsSchema = z.object({
  flip: z.enum(['none', 'horizontal', 'vertical', 'both']).default('none'),
  /** Turns by 90 degrees. */
  quarterTurns: z.boolean().default(false),
  /** Degrees to either side. */
  rotate: z.number().min(0).max(180).default(0),
  shear: z.number().min(0).max(45).default(0),
  /** Factors. */
  zoom: factors.default([1, 1]),
  /** Share of the patch's extent to either side. */
  shift: share.default(0),
  /** The U-Net paper's: displacements on a coarse grid, normal with `sigma` pixels, bicubic between. */
  elastic: z
    .object({ grid: z.int().min(2).max(16), sigma: z.number().min(0), share })
    .nullable()
    .default(null),
  /** Factors on, and shifts of, intensities in units of the normalized picture; exponents of gamma. */
  scale: range.default([1, 1]),
  offset: z.number().min(0).default(0),
  gamma: factors.default([1, 1]),
  /** Largest deviation of normal noise, and of a Gaussian blur in pixels. */
  noise: z.number().min(0).default(0),
  blur: z.number().min(0).max(64).default(0),
  /** How far the stains (haematoxylin, eosin, residual) of RGB pictures, or their colour channels, are scaled and shifted. */
  stain: share.default(0),
  /** Share of the patches whose intensities are turned round between their extremes: dark objects on bright ground, and back. */
  invert: share.default(0),
})

export const trainingSettingsSchema = z.object({
  epochs: z.int().min(1).max(10_000),
  /** Steps an epoch; null: as many as it takes to see every patch (or every slice) of the training part once. */
  steps: z.int().min(1).nullable().default(null),
  /** Patches a step. */
  batch: z.int().min(1).max(256),
  /** Width and height of a patch in pixels of the network's input; null: whole pictures, padded to the largest of the batch. */
  patch: z.int().min(16).max(2048).nullable(),
  /** Share of the patches that are centred on a pixel of some class but background, each class as often. */
  foreground: share.default(0.5),
  /** Weights are averaged over steps with this decay, and the average is kept; 0: the last weights themselves. */
  average: z.number().min(0).max(0.9999).default(0),
  /** Ends after so many epochs without a better validation, and restores the best weights; null: runs to the end. */
  earlyStopping: z.int().min(1).nullable().default(null),
  /** Ends after so many seconds, the schedule brought forward; null: never. Then the same seed need not give the same numbers. */
  seconds: z.number().positive().nullable().default(null),
})

export const inferenceSettingsSchema = z.object({
  /** Share of a tile that overlaps its neighbour, where a picture takes several; blended. */
  overlap: z.number().min(0).max(0.9).default(0.25),
  /** Mirrored copies are predicted as well, and averaged. */
  flips: z.enum(['none', 'horizontal', 'vertical', 'both']).default('none'),
  /** Quarter turns as well. */
  quarterTurns: z.boolean().default(false),
  /** Of volumes: each plane's probabilities are averaged. `training`: the plane that the network was trained in. */
  planes: z
    .array(z.enum(['training', 'axial', 'coronal', 'sagittal', 'oblique']))
    .min(1)
    .default(['training']),
  /** Only the largest connected part of each label is kept. */
  largestComponent: z.boolean().default(false),
  fillHoles: z.boolean().default(false),
  /** Parts of fewer pixels or voxels are left out. */
  smallest: z.int().min(0).default(0),
  /** Of `sigmoid` and `relu`: a value above is the label. */
  threshold: z.number().min(0).max(1).default(0.5),
})

/** How one label becomes objects with numbers; null where it does not. */
export const instanceSettingsSchema = z.object({
  /** `distance`: watershed of the distance transform. `border`: the network has one more class, the objects' borders. */
  kind: z.enum(['distance', 'border']),
  /** Label whose objects these are. */
  label: labelValueSchema.min(1).default(1),
  /** Probability above which a pixel belongs to an object. */
  threshold: share.default(0.5),
  /**
   * Two parts that touch are two objects where what is flooded falls, between them, below this share of the lower one's
   * height: larger divides more.
   */
  seed: share.default(0.9),
  /**
   * Gaussian smoothing, in pixels, of what the watershed floods: the distance to the background, with a border class times
   * the probability of an inside.
   */
  smooth: z.number().min(0).max(64).default(1),
  /** Objects of fewer pixels are left out; parts with fewer above the pass to a higher one belong to that. */
  smallest: z.int().min(0).default(0),
  smallestSeed: z.int().min(0).default(0),
  /** Width of the border class in pixels, in training. */
  border: z.int().min(1).max(9).default(2),
})

export const splitSettingsSchema = z.object({
  /** `case`: whole cases (all of a patient's together) are held out. `slice`: of a single volume, slices. */
  by: z.enum(['case', 'slice']).default('case'),
  /** Every so many cases are held out and never seen in training; 0: none. */
  holdout: z.int().min(0).default(3),
  /** Share of the other cases that is not learned from: losses are measured on it, and early stopping decides by it. */
  validation: z.number().min(0).max(0.5).default(0.1),
})

export const recipeSettingsSchema = z.object({
  model: modelSettingsSchema,
  input: inputSettingsSchema,
  loss: lossSettingsSchema,
  optimizer: optimizerSettingsSchema,
  augmentation: augmentationSettingsSchema.prefault({}),
  training: trainingSettingsSchema,
  inference: inferenceSettingsSchema.prefault({}),
  instances: instanceSettingsSchema.nullable().default(null),
  split: splitSettingsSchema.prefault({}),
  /** Raw mask values that are labels, where the recipe takes them as it finds them; null: all. */
  labels: z.array(z.int().min(1).max(65_535)).nullable().default(null),
  /** Of volumes: the planes whose slices are learned from. `training`: that in which the interface predicts, axial or as stored. */
  planes: z
    .array(z.enum(['training', 'axial', 'coronal', 'sagittal', 'oblique']))
    .min(1)
    .default(['training']),
})
export type RecipeSettings = z.infer<typeof recipeSettingsSchema>
export type ModelSettings = RecipeSettings['model']
export type InputSettings = RecipeSettings['input']
export type LossSettings = RecipeSettings['loss']
export type OptimizerSettings = RecipeSettings['optimizer']
export type AugmentationSettings = RecipeSettings['augmentation']
export type InferenceSettings = RecipeSettings['inference']
export type InstanceSettings = z.infer<typeof instanceSettingsSchema>

/** A class of the recipe, and the raw values of its masks, both ends included. */
const recipeClassSchema = z.object({
  value: labelValueSchema.min(1),
  name: z.string().min(1).max(80),
  from: z.int().min(0).max(65_535),
  to: z.int().min(0).max(65_535),
})

export const recipeSchema = z.object({
  name: z.string().regex(/^[a-z][a-z0-9-]*$/),
  title: z.string(),
  /** What it is for, in a sentence or two. */
  summary: z.string(),
  /** What the article did, in a sentence or two, and where it was published. */
  article: z.string(),
  /** Empty: every value above 0 that the masks have becomes a label of its own. */
  classes: z.array(recipeClassSchema),
  /** The published folder layouts, tried in this order before DIR/images with DIR/masks (compute/data/layouts). */
  layouts: z.array(z.enum(['stage1', 'nerve', 'liver', 'membrane', 'cell-tracking', 'wbc'])),
  /** The first group of this expression, on a case's id, is its patient; null: each case is one. */
  patient: z.string().nullable(),
  /** What is measured beside Dice and IoU, and named first in the report. */
  metrics: z.array(z.enum(['accuracy', 'dice', 'iou', 'hd95', 'average-precision', 'warping-error', 'rand-error'])),
  presets: z.object({ best: recipeSettingsSchema, article: recipeSettingsSchema }),
})
export type Recipe = z.infer<typeof recipeSchema>

/** Where a case went. */
export const casePartSchema = z.enum(['train', 'validation', 'holdout'])
export type CasePart = z.infer<typeof casePartSchema>

/** What is found in a data folder before training. */
export const dataReportSchema = z.object({
  cases: z.array(
    z.object({
      id: z.string(),
      patient: z.string(),
      part: casePartSchema,
      width: z.int(),
      height: z.int(),
      slices: z.int(),
      channels: z.int(),
      /** Share of the pixels of each label, 0 to 1, by label value. */
      shares: z.record(z.string(), z.number()),
    }),
  ),
  labels: z.array(z.object({ value: labelValueSchema.min(1), name: z.string() })),
  /** Files that are left out, and why: one sentence each. */
  left: z.array(z.object({ file: z.string(), reason: z.string() })),
  /** What should be known besides: overlapping objects, say. */
  remarks: z.array(z.string()),
  /** Pictures with their truth as a contour, as PNG. */
  thumbnails: z.array(z.object({ id: z.string(), png: z.instanceof(Uint8Array) })),
})
export type DataReport = z.infer<typeof dataReportSchema>

/** Of one case: each number 0 to 1, distances in mm (pixels where no spacing is known). */
export const caseScoresSchema = z.object({
  id: z.string(),
  pixelAccuracy: z.number(),
  /** IoU, the mean over the background and the labels. */
  meanIou: z.number().optional(),
  /** By label value. */
  dice: z.record(z.string(), z.number()),
  iou: z.record(z.string(), z.number()),
  sensitivity: z.record(z.string(), z.number()),
  specificity: z.record(z.string(), z.number()),
  /** null where one of both is empty and the other is not. */
  hd: z.record(z.string(), z.number().nullable()),
  hd95: z.record(z.string(), z.number().nullable()),
  assd: z.record(z.string(), z.number().nullable()),
  /** Predicted less true, in mL of volumes and in pixels of pictures. */
  volumeDifference: z.record(z.string(), z.number()),
  instances: z.object({ ap50: z.number(), ap: z.number(), tp: z.int(), fp: z.int(), fn: z.int() }).optional(),
  membranes: z.object({ warping: z.number(), rand: z.number() }).optional(),
})
export type CaseScores = z.infer<typeof caseScoresSchema>

/** What a training tells while it runs; on the command line each is a JSON line. */
export const recipeEventSchema = z.discriminatedUnion('event', [
  z.object({
    event: z.literal('start'),
    recipe: z.string(),
    preset: z.enum(['best', 'article']),
    settings: recipeSettingsSchema,
    labels: dataReportSchema.shape.labels,
    cases: z.object({ train: z.int(), validation: z.int(), holdout: z.int() }),
    left: dataReportSchema.shape.left,
    remarks: z.array(z.string()),
    epochs: z.int(),
    /** Steps an epoch. */
    steps: z.int(),
    /** The first epoch of this run: above 1 where it goes on. */
    from: z.int(),
    parameters: z.int(),
    seed: z.int(),
    backend: z.string(),
    threads: z.int(),
  }),
  z.object({
    event: z.literal('epoch'),
    epoch: z.int(),
    epochs: z.int(),
    loss: z.number(),
    /** null where no case was kept for validation. */
    valLoss: z.number().nullable(),
    val: z.record(z.string(), z.number()),
    rate: z.number(),
    /** Since the training began, of all its runs. */
    seconds: z.number(),
    secondsLeft: z.number().nullable(),
    /** The same pictures at each epoch with what is predicted now and the truth, as PNG; only where they were asked for. */
    pictures: z.array(z.object({ id: z.string(), png: z.instanceof(Uint8Array) })).optional(),
  }),
  z.object({ event: z.literal('scoring'), done: z.int(), of: z.int() }),
  z.object({
    event: z.literal('done'),
    model: z.string(),
    /** Means over the cases that were held out (over those of validation, then of training, where there are none). */
    metrics: z.record(z.string(), z.number().nullable()),
    scoredOn: casePartSchema,
    seconds: z.number(),
  }),
])
export type RecipeEvent = z.infer<typeof recipeEventSchema>
