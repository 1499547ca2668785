import { z } from 'zod'
import { CodedError } from './errors.ts'
import { networkInputSchema, networkUseSchema } from './network.ts'
import { inferenceSettingsSchema, inputSettingsSchema, instanceSettingsSchema } from './recipes.ts'
import { labelValueSchema, trainingReportSchema } from './schemas.ts'
import type { PercentileInput } from './network.ts'

/**
 * `card.json` beside the layers model (`model.json` and its weights) in a model folder: what the network means, what it
 * was made from and by what. Every field is a fact or null, which means that it is not known; docs/models.md describes
 * them for readers outside of this code.
 */

/** The format that this version writes. Older ones are read and completed in memory. */
export const CARD_FORMAT = 2
/** The format of networks from elsewhere, in model.onnx: the same, with `onnx`, and more ways to prepare a picture. */
export const IMPORTED_CARD_FORMAT = 3
/** The format of networks that were trained by a recipe: as the second, with `handling`, and more ways to prepare a picture. */
export const RECIPE_CARD_FORMAT = 4

const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/)

export const modelLabelSchema = z.object({ value: labelValueSchema.min(1), name: z.string() })

/** Of the body, where the image says how it lies in it; `stored`: as the file has it. */
export const slicePlaneSchema = z.enum(['axial', 'coronal', 'sagittal', 'stored'])

const architectureSchema = z.object({
  /** The kind of network: one of models/unet.ts can be trained further; any other predicts only. */
  name: z.string(),
  /** Down-samplings. */
  levels: z.int().min(0).max(12),
  /** Channels of the first level; doubled at each level below. */
  base: z.int().min(1).max(4096),
  /** 3 only in networks from elsewhere and of recipes. */
  inputChannels: z.union([z.literal(1), z.literal(3)]),
  /** Inputs are padded to a multiple of this in both directions. */
  step: z.int().min(1).max(4096),
  /** After each convolution. Absent: as `name` says, 'unet' none and 'unet-norm' instance. */
  normalization: z.enum(['none', 'instance', 'group', 'batch']).optional(),
  /** Absent: nearest. */
  upsampling: z.enum(['nearest', 'transposed']).optional(),
  /** Absent: same. `valid`: the result is smaller than the picture by twice `margin` pixels each way. */
  convolutions: z.enum(['same', 'valid']).optional(),
  margin: z.int().min(0).max(1024).optional(),
  /** Share dropped in training at the end of the contracting path; absent: 0. */
  dropout: z.number().min(0).max(0.9).optional(),
})

/** How a picture is brought to a network of a recipe, beside `input`, and its output to labels. */
export const handlingSchema = z.object({
  resize: inputSettingsSchema.shape.resize,
  output: z.enum(['softmax', 'sigmoid', 'relu']),
  /** The last channel is the border of the objects of the first label, and counts as that label in a label map. */
  border: z.boolean(),
  inference: inferenceSettingsSchema,
  instances: instanceSettingsSchema.nullable(),
})
export type Handling = z.infer<typeof handlingSchema>

/** mm; medians over the samples of which it is known. */
const spacingSchema = z.object({
  /** In which plane the slices lie that the network was shown; 'mixed' where they do not agree. */
  plane: z.union([slicePlaneSchema, z.literal('mixed')]),
  /** Between neighbouring columns and between neighbouring rows, as the network sees the slice. */
  inPlane: z.tuple([z.number(), z.number()]),
  /** Between slices; null where all samples are single pictures. */
  slices: z.number().nullable(),
  /** Of so many samples the spacing is known; null where someone said it. */
  samples: z.int().min(1).nullable(),
})

const dataSchema = z.object({
  /** Over intensities, labels and roles of all samples, whatever the order in which they came (models/learnedData.ts). */
  sha256: sha256Schema,
  samples: z.int().min(1),
  corrected: z.int().min(0),
  replay: z.int().min(0),
})

const runSchema = z.object({
  /** The graphics card or processor. */
  device: z.string().nullable(),
  threads: z.int().min(1).nullable(),
  /** Patches a step, and their width and height in pixels. */
  batch: z.int().min(1).nullable(),
  patch: z.int().min(1).nullable(),
})

const checksumsSchema = z.object({
  /** SHA-256 of model.json, or of model.onnx. */
  topology: sha256Schema,
  /** SHA-256 of the weights' bytes in the order of the manifest: of weights.bin, where it is one file; or of model.onnx. */
  weights: sha256Schema,
  /** SHA-256 of this card without this entry, keys sorted, without white space (models/checksums.ts). */
  card: sha256Schema,
})

/** What both formats have. */
const commonSchema = z.object({
  id: z.string(),
  parentId: z.string().nullable(),
  name: z.string(),
  createdAt: z.string(),
  /** Output channel c > 0 means labels[c - 1]; channel 0 is background. */
  labels: z.array(modelLabelSchema),
  architecture: architectureSchema,
  parameters: z.int().min(0),
  /** null for a model that was not trained here. Loss and Dice before and after are its metrics. */
  training: trainingReportSchema.extend({ seed: z.int() }).nullable(),
})

const firstFormatSchema = commonSchema.extend({ format: z.literal(1), normalization: z.literal('percentile') })

export const modelCardSchema = commonSchema
  .extend({
    format: z.union([z.literal(CARD_FORMAT), z.literal(IMPORTED_CARD_FORMAT), z.literal(RECIPE_CARD_FORMAT)]),
    /** Output channel 0 and the label value that it gives; null: no channel, but where none of them says yes. */
    background: z.object({ channel: z.literal(0).nullable(), value: z.literal(0) }),
    input: networkInputSchema,
    spacing: spacingSchema.nullable(),
    /** What trained it: 'interactive' (Retrain), 'live', 'finetune', 'demo', or the name of a recipe. */
    recipe: z.string().nullable(),
    data: dataSchema.nullable(),
    run: runSchema.nullable(),
    /** Of the packages and drivers that were there, by name: maskwright, node, tfjs-core, tfjs-layers, the backends'. */
    versions: z.record(z.string(), z.string()).nullable(),
    /** null: not verified when it is loaded. */
    checksums: checksumsSchema.nullable(),
    /** In format 3, and only there: how the network in model.onnx is used. */
    onnx: networkUseSchema.optional(),
    /** In format 4, and only there. */
    handling: handlingSchema.optional(),
  })
  .refine(({ format, onnx }) => (format === IMPORTED_CARD_FORMAT) === (onnx !== undefined))
  .refine(({ format, handling }) => (format === RECIPE_CARD_FORMAT) === (handling !== undefined))
export type ModelCard = z.infer<typeof modelCardSchema>

/** How every model of this version takes its input; also what format 1 meant by 'percentile'. */
export const PERCENTILE_INPUT: PercentileInput = {
  colour: { kind: 'luminance', weights: [0.299, 0.587, 0.114] },
  normalization: { kind: 'percentile', low: 0.5, high: 99.5, over: 'case', hounsfieldAbove: -250 },
}

/** A card of any format that was ever written, as one of the present format; what it does not say is null. */
const anyCardSchema = z.union([
  modelCardSchema,
  firstFormatSchema.transform(({ normalization: _, ...known }): ModelCard => ({
    ...known,
    format: CARD_FORMAT,
    background: { channel: 0, value: 0 },
    input: PERCENTILE_INPUT,
    spacing: null,
    recipe: null,
    data: null,
    run: null,
    versions: null,
    checksums: null,
  })),
])

/**
 * A model card from the text of `file`; nothing is written. Throws CodedError('bad-file') that names the file when it is
 * no card, or one of a newer version.
 */
export function readModelCard(text: string, file: string): ModelCard {
  const value = parsed(text)
  const card = anyCardSchema.safeParse(value)
  if (card.success) return card.data
  const newer = z.object({ format: z.int().min(RECIPE_CARD_FORMAT + 1) }).safeParse(value)
  if (newer.success) {
    throw new CodedError(
      'bad-file',
      `${file} was made by a newer Maskwright (card format ${newer.data.format}); update Maskwright or choose another model.`,
    )
  }
  throw new CodedError(
    'bad-file',
    `${file} is not the card of a model that this version can read; choose another model.`,
    { detail: value === undefined ? 'It is not JSON.' : card.error.message },
  )
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
