import { z } from 'zod'
import { labelValueSchema } from './schemas.ts'

/** How a network takes pictures and what it gives: what a model card says of it, and what is found out of an ONNX file. */

const luminanceSchema = z.object({
  kind: z.literal('luminance'),
  weights: z.tuple([z.number(), z.number(), z.number()]),
})
const percentileSchema = z.object({
  kind: z.literal('percentile'),
  /** These percentiles of the scaled intensities become 0 and 1; what lies beyond is clipped. */
  low: z.number().min(0).max(100),
  high: z.number().min(0).max(100),
  /** All slices of a case together, so that a tissue has one brightness throughout. */
  over: z.literal('case'),
  /** In Hounsfield units only tissue counts: values above this. Images that are no CT take all values. */
  hounsfieldAbove: z.number(),
})
/** One number a channel. */
const perChannel = z.array(z.number()).min(1).max(3)

export const networkInputSchema = z.object({
  /** How an RGB pixel becomes the one channel: the sum of its red, green and blue by these weights; or stays three. */
  colour: z.discriminatedUnion('kind', [luminanceSchema, z.object({ kind: z.literal('rgb') })]),
  /** How intensities become the numbers that the network takes: 0 to 1 in every network that is trained here. */
  normalization: z.discriminatedUnion('kind', [
    percentileSchema,
    /** These scaled intensities become 0 and 1; what lies beyond is clipped: a window of a CT, or 0 to 255 of a photograph. */
    z.object({ kind: z.literal('window'), from: z.number(), to: z.number() }),
    /** Of each slice, its mean becomes 0 and its standard deviation 1. */
    z.object({ kind: z.literal('zscore'), over: z.literal('slice') }),
    /** The scaled intensities themselves. */
    z.object({ kind: z.literal('none') }),
  ]),
  /** After that, where it is there: less the mean, divided by the deviation, of each channel. */
  standardize: z.object({ mean: perChannel, deviation: z.array(z.number().positive()).min(1).max(3) }).optional(),
})
export type NetworkInput = z.infer<typeof networkInputSchema>
export interface PercentileInput {
  colour: z.infer<typeof luminanceSchema>
  normalization: z.infer<typeof percentileSchema>
}

/** Which of the four axes of an image are its channels: [n, channels, height, width] or [n, height, width, channels]. */
const layoutSchema = z.enum(['channels-first', 'channels-last'])

/** How the network of model.onnx is used. */
export const networkUseSchema = z.object({
  input: z.object({ name: z.string(), layout: layoutSchema }),
  /** `plane`: [n, height, width], one channel. */
  output: z.object({ name: z.string(), layout: z.enum([...layoutSchema.options, 'plane']), channels: z.int().min(1) }),
  /** Probabilities lie between 0 and 1; logits anywhere. One half, and 0, is where a class of its own begins. */
  scores: z.enum(['logits', 'probabilities']),
  /** `exclusive`: the largest channel is the class (softmax). `independent`: each channel says yes or no (sigmoid). */
  classes: z.enum(['exclusive', 'independent']),
  /** The only size that it takes, in pixels; null: any whose width and height are multiples of the step. */
  size: z.object({ width: z.int().min(1).max(16_384), height: z.int().min(1).max(16_384) }).nullable(),
  /** It takes one picture at a time. */
  single: z.boolean(),
  /** A pixel's label depends on pixels at most so far away; null: on the whole picture, or on more than could be measured. */
  reach: z.int().min(0).nullable(),
  /** What a pass takes, as measured when it was imported: bytes a pixel, and pixels a second on one thread or more. */
  bytesPerPixel: z.number().min(0),
  pixelsPerSecond: z.number().positive(),
  opset: z.int().min(1),
  /** What wrote the file: "pytorch 2.4". */
  producer: z.string().nullable(),
})
export type NetworkUse = z.infer<typeof networkUseSchema>

/** In mm, between columns, rows and slices; null where it does not matter (pictures). */
export const statedSpacingSchema = z.object({
  inPlane: z.tuple([z.number().positive(), z.number().positive()]),
  slices: z.number().positive().nullable(),
})

const MAX_CLASSES = 255
const classNameSchema = z.string().trim().min(1).max(80)
const MAX_NAME = 200
const nameSchema = z.string().trim().min(1).max(MAX_NAME)

/** What an ONNX file may say of itself in its metadata, each entry a JSON text under "maskwright." and its name. */
export const statedFactsSchema = z.object({
  name: nameSchema.optional(),
  /** Of the channels that are no background, in order. */
  classes: z.array(classNameSchema).min(1).max(MAX_CLASSES).optional(),
  /** The same with the values that they gave where the file was written; `classes` goes before it where both are there. */
  labels: z
    .array(z.object({ value: labelValueSchema.min(1), name: classNameSchema }))
    .min(1)
    .max(MAX_CLASSES)
    .optional(),
  input: networkInputSchema.optional(),
  spacing: statedSpacingSchema.optional(),
})
export type StatedFacts = z.infer<typeof statedFactsSchema>

/** What was found out of an ONNX file by reading it and by running it. */
export const networkFactsSchema = z.object({
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.int().min(1),
  parameters: z.int().min(0),
  inputChannels: z.union([z.literal(1), z.literal(3)]),
  /** Width and height must be multiples of this. */
  step: z.int().min(1).max(4096),
  /** Output channels of the first layer that has weights; 1 where there is none. */
  base: z.int().min(1).max(4096),
  use: networkUseSchema,
  stated: statedFactsSchema,
  /** What the user should know of how it will be used, a sentence each. */
  remarks: z.array(z.string()),
  /** Some of what it gave for the picture that foreign/sample.ts makes, to be compared with what the written model gives. */
  sample: z.object({ width: z.int(), height: z.int(), values: z.array(z.number()).max(1024) }),
})
export type NetworkFacts = z.infer<typeof networkFactsSchema>

/** What only a person knows of a network. */
export const networkMeaningSchema = z.object({
  name: nameSchema,
  /** One for each output channel that is a class; one fewer than channels: the first channel is background. */
  classes: z.array(classNameSchema).min(1).max(MAX_CLASSES),
  input: networkInputSchema,
  spacing: statedSpacingSchema.nullable(),
})
export type NetworkMeaning = z.infer<typeof networkMeaningSchema>

/** What a network is called where nobody says it: as the file (its name, without the folder). */
export function networkName(fileName: string): string {
  const name = fileName
    .replace(/\.onnx$/i, '')
    .trim()
    .slice(0, MAX_NAME)
    .trim()
  return name === '' ? 'Imported network' : name
}

/** How many classes may be named: channels that exclude each other have a background among them, the first. */
export function classCounts({ output: { channels }, classes }: NetworkUse): number[] {
  return (classes === 'independent' ? [channels, channels - 1] : [channels - 1]).filter((count) => count > 0)
}

/** How a network takes intensities, in words. */
export function describeInput({ normalization, standardize }: NetworkInput): string {
  const then =
    standardize === undefined
      ? ''
      : `, then less ${standardize.mean.join(', ')} and divided by ${standardize.deviation.join(', ')}`
  switch (normalization.kind) {
    case 'percentile':
      return `0 to 1 between the percentiles ${normalization.low} and ${normalization.high} of the case${then}`
    case 'window':
      return `0 to 1 between the intensities ${normalization.from} and ${normalization.to}${then}`
    case 'zscore':
      return `mean 0 and deviation 1 in each slice${then}`
    case 'none':
      return `intensities as they are${then}`
  }
}
