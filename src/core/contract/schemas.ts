import { z } from 'zod'
import './jitless.ts'

/**
 * Shapes shared by methods and events.
 *
 * Conventions used everywhere on the wire:
 * - A volume has `dims` [nx, ny, nz] in the file's own voxel order, x fastest: index = x + nx * (y + ny * z).
 *   A 2-D image is a volume with nz = 1, x to the right and y down.
 * - `axis` 0, 1, 2 names a voxel axis. A slice across `axis` has the two other axes in ascending order, the lower one
 *   fastest: axis 2 gives [nx, ny], axis 1 gives [nx, nz], axis 0 gives [ny, nz].
 * - Affines are 4x4, row-major, from voxel indices to world millimetres in RAS+ (x to the patient's right,
 *   y to anterior, z to superior). Null for 2-D images without geometry.
 * - Label values are 0 (background) to 255.
 * - Binary data travels as Uint8Array.
 */
export const idSchema = z.string().min(1).max(64)
export const axisSchema = z.union([z.literal(0), z.literal(1), z.literal(2)])
export const indexSchema = z.int().min(0).max(1_000_000)
export const labelValueSchema = z.int().min(0).max(255)
export const vec3Schema = z.tuple([z.number(), z.number(), z.number()])
export const dimsSchema = z.tuple([z.int().positive(), z.int().positive(), z.int().positive()])
export const bytesSchema = z.instanceof(Uint8Array)
export const affineSchema = z.array(z.array(z.number()).length(4)).length(4)

export type Axis = z.infer<typeof axisSchema>
export type Vec3 = z.infer<typeof vec3Schema>
export type Dims = z.infer<typeof dimsSchema>
/** 4x4, row-major rows. */
export type Affine = z.infer<typeof affineSchema>

export const voxelTypeSchema = z.enum(['uint8', 'int8', 'uint16', 'int16', 'uint32', 'int32', 'float32', 'float64'])
export type VoxelType = z.infer<typeof voxelTypeSchema>

export const labelSchema = z.object({
  value: labelValueSchema.min(1),
  name: z.string().min(1).max(80),
  /** #rrggbb */
  color: z.string().regex(/^#[0-9a-f]{6}$/),
  visible: z.boolean(),
  locked: z.boolean(),
})
export type Label = z.infer<typeof labelSchema>

/** Half-open box in voxels: min <= voxel < max. */
export const boxSchema = z.object({ min: dimsLike(), max: dimsLike() })
function dimsLike() {
  return z.tuple([z.int().min(0), z.int().min(0), z.int().min(0)])
}
export type Box = z.infer<typeof boxSchema>

export const strokeKindSchema = z.enum([
  'brush',
  'erase',
  'fill',
  'accept',
  'delete-label',
  'import',
  'approve',
  'undo',
  'redo',
])
export type StrokeKind = z.infer<typeof strokeKindSchema>

/**
 * One undoable change of the mask. `runs` holds groups of four numbers, [start, length, before, after]: `start` counts
 * voxels inside the box in x-fastest order, every voxel of the run had label `before` and gets label `after`.
 * Runs are ascending, do not overlap, and before != after.
 */
export const strokeDeltaSchema = z.object({
  id: z.uuid(),
  baseRevision: z.int().min(0),
  kind: strokeKindSchema,
  /** The label painted with; 0 for the eraser; for changes of several labels, the first of them. */
  label: labelValueSchema,
  /** The axis across which the slice lies that the user was looking at; null for a change of the whole volume. */
  axis: axisSchema.nullable(),
  box: boxSchema,
  runs: z.instanceof(Uint32Array),
})
export type StrokeDelta = z.infer<typeof strokeDeltaSchema>

export const sliceRefSchema = z.object({ caseId: idSchema, axis: axisSchema, index: indexSchema })
export type SliceRef = z.infer<typeof sliceRefSchema>

/** Of a tiled image: a rectangle in pixels of a level (0 is the full one). */
export const tileRegionSchema = z.object({
  level: z.int().min(0).max(63),
  x: z.int().min(0),
  y: z.int().min(0),
  width: z.int().positive(),
  height: z.int().positive(),
})
export type TileRegion = z.infer<typeof tileRegionSchema>

/** Which of the images that a file or folder holds; what is left out is the first. Kept with the case. */
export const imageSelectionSchema = z.object({
  /** Of a DICOM folder: the SeriesInstanceUID. */
  series: z.string().max(128).optional(),
  /** Of files with more than three dimensions: which volume, counted over the further dimensions, the fourth fastest. */
  frame: z.int().min(0).optional(),
  /** Of microscope images whose channels are no colours. */
  channel: z.int().min(0).optional(),
  /** Of complex numbers; the magnitude where left out. */
  part: z.enum(['magnitude', 'phase', 'real', 'imaginary']).optional(),
  /** Where a NIfTI file states two positions: the one to go by, against the rule. */
  affine: z.enum(['sform', 'qform']).optional(),
  region: tileRegionSchema.optional(),
})
export type ImageSelection = z.infer<typeof imageSelectionSchema>

export const sliceDataSchema = z.object({
  width: z.int().positive(),
  height: z.int().positive(),
  channels: z.union([z.literal(1), z.literal(3)]),
  /** Little-endian samples; RGB interleaved. */
  voxelType: voxelTypeSchema,
  data: bytesSchema,
  /** scaled = raw * slope + inter */
  slope: z.number(),
  inter: z.number(),
})
export type SliceData = z.infer<typeof sliceDataSchema>

export const labelSliceSchema = z.object({
  width: z.int().positive(),
  height: z.int().positive(),
  /** One label a byte. */
  data: bytesSchema,
  /** Mask: the annotation revision it shows. Prediction: the revision when it was predicted. */
  revision: z.int().min(0),
  /** Prediction layer only: the model that made it; null where this slice has not been predicted. */
  modelId: idSchema.nullable(),
})
export type LabelSlice = z.infer<typeof labelSliceSchema>

export const historySchema = z.object({
  canUndo: z.boolean(),
  canRedo: z.boolean(),
  /** What the next undo / redo would take back or bring again, as words: "brush Liver". */
  undoName: z.string().nullable(),
  redoName: z.string().nullable(),
})
export type History = z.infer<typeof historySchema>

export const curvePointSchema = z.object({
  step: z.int().min(0),
  loss: z.number(),
  /** On slices that are learned from, 0 to 1: mean over the labels there, in a training on slices by the roots of their pixels. */
  dice: z.number(),
})
export type CurvePoint = z.infer<typeof curvePointSchema>

/** What a training did. Loss and Dice are those on the slices it learned from, before the first and after the last step. */
export const trainingReportSchema = z.object({
  slices: z.int(),
  steps: z.int(),
  seconds: z.number(),
  backend: z.string(),
  /**
   * Which bound set the number of steps. 'steps': the same seed, backend and threads give the same weights again;
   * 'seconds': number and learning rates of the steps came of how fast they were. Absent where it was not recorded.
   */
  boundBy: z.enum(['steps', 'seconds']).optional(),
  /** The step whose weights were kept; 0: nothing was better than what it began with. Absent where it was not recorded. */
  keptStep: z.int().min(0).optional(),
  /**
   * Pixels of the slices that `diceBefore` and `diceAfter` are of, up to eight: those that it had wrong at first, how many of them the
   * kept weights have right, and how many have become wrong. Absent where it was not recorded, and of what Live learned.
   */
  mistakes: z.object({ count: z.int().min(0), mended: z.int().min(0), broken: z.int().min(0) }).optional(),
  /** Labels of which it, or those that it goes on from, were shown more than a few pixels. Absent where it was not recorded. */
  seen: z.array(labelValueSchema).optional(),
  /** Of these, what its own slices show next to nothing of. */
  unseen: z.array(labelValueSchema).optional(),
  lossBefore: z.number(),
  lossAfter: z.number(),
  diceBefore: z.number(),
  diceAfter: z.number(),
  curve: z.array(curvePointSchema),
})

export const modelSummarySchema = z.object({
  id: idSchema,
  /** 1, 2, 3 … in the project. */
  version: z.int().positive(),
  name: z.string(),
  parentId: idSchema.nullable(),
  createdAt: z.string(),
  active: z.boolean(),
  parameters: z.int().min(0),
  labels: z.array(labelValueSchema),
  /** A network from elsewhere: it predicts and cannot be trained. */
  imported: z.boolean(),
  /** The recipe that trained it; absent where none did. */
  recipe: z.string().optional(),
  /** It has a report: `models.report`. */
  report: z.boolean().optional(),
  /** How it was trained; null for a model that came with the project. */
  training: trainingReportSchema.nullable(),
  /** What the user wrote of it. */
  notes: z.string(),
  tags: z.array(z.string()),
  /** Of its folder; 0 where it was pruned: then it is known, and can neither be used nor exported. */
  bytes: z.int().min(0),
  pruned: z.boolean(),
  /** How it was made. */
  mode: z.enum(['retrain', 'live', 'recipe', 'imported', 'shipped']),
  /** The latest judgement in short; null: it was never held against another. Values as in `learning.ts`. */
  judged: z
    .object({
      verdict: z.enum(['promoted', 'aside', 'unproven', 'overridden', 'waiting']),
      reason: z.string(),
      diceBefore: z.number().nullable(),
      diceAfter: z.number().nullable(),
    })
    .nullable(),
})
export type ModelSummary = z.infer<typeof modelSummarySchema>

export const jobSchema = z.object({
  id: idSchema,
  /**
   * `check`: the data of a recipe; `create`: a project from one; `recipe`: a training by one; `train`: Retrain. `rank`: the queue of
   * what to look at next; `judge`: versions held against each other on the hold-out.
   */
  kind: z.enum(['predict', 'train', 'export', 'check', 'create', 'recipe', 'rank', 'judge']),
  state: z.enum(['queued', 'running', 'done', 'failed', 'cancelled']),
  caseId: idSchema.nullable(),
  /** 0 to 1. */
  progress: z.number().min(0).max(1),
  /** What is going on, in words: "slice 12 of 80", "step 34 of 120". */
  message: z.string(),
  secondsLeft: z.number().min(0).nullable(),
  curve: z.array(curvePointSchema),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  /** The model that a finished training made. */
  modelId: idSchema.nullable(),
})
export type Job = z.infer<typeof jobSchema>

/** The rungs of the ladder of compute backends, fastest first. */
export const rungSchema = z.enum(['native', 'cuda', 'webgpu', 'tensorflow', 'wasm', 'js'])
export type Rung = z.infer<typeof rungSchema>

/** What ONNX Runtime computes on, of which the rung `native` has several; the processor last. */
export const providerSchema = z.enum(['cuda', 'dml', 'coreml', 'webgpu', 'cpu'])
export type Provider = z.infer<typeof providerSchema>

/** One provider of the rung `native`, as it can be asked for: "native-webgpu". */
const nativeWaySchema = z.templateLiteral(['native-', providerSchema])
export type NativeWay = z.infer<typeof nativeWaySchema>

/**
 * One way of computing: a rung, or one provider of the rung `native`. Each is proven, timed and remembered by itself, and
 * gives up by itself.
 */
export type Way = NativeWay | Exclude<Rung, 'native'>

/** What the user chose for this computer. */
export const computeSettingsSchema = z.object({
  /** 'auto': the fastest rung that passes its self-test. 'native': the fastest of its providers. */
  backend: z.union([z.literal('auto'), rungSchema, nativeWaySchema]),
  /** 0: chosen from the cores. */
  threads: z.int().min(0).max(64),
})
export type ComputeSettings = z.infer<typeof computeSettingsSchema>

/** What a rung computes on: a graphics card's or processor's name, and its memory where that can be known. */
export const computeDeviceSchema = z.object({ name: z.string(), memoryMB: z.number().nullable() })
export type ComputeDevice = z.infer<typeof computeDeviceSchema>

export const computeStatusSchema = z.object({
  state: z.enum(['stopped', 'starting', 'ready', 'busy', 'restarting', 'failed']),
  /** The rung that runs: "wasm", "js" …; null until it is known. */
  backend: z.string().nullable(),
  /** Of the rung `native`. */
  provider: providerSchema.nullish(),
  threads: z.int().min(0),
  /** The name of the graphics card or processor that computes; null until it is known. */
  device: z.string().nullable(),
  /** A sentence for the user where something is not as it should be. */
  message: z.string().nullable(),
  /** How often compute was restarted after a crash since the start. */
  restarts: z.int().min(0),
})
export type ComputeStatus = z.infer<typeof computeStatusSchema>

const wayReportSchema = z.object({
  /** It starts here and passes its self-test. */
  available: z.boolean(),
  /** Why it is or is not available, in plain words. */
  reason: z.string(),
  /** What to do to get it; null where nothing need or can be done. */
  remedy: z.string().nullable(),
  selfTest: z.object({ ok: z.boolean(), ms: z.number() }).nullable(),
  /** Milliseconds of one training step of the network that rungs are compared with (runtime/timing.ts). */
  stepMs: z.number().nullable(),
  device: computeDeviceSchema.nullable(),
  /** For those who look closer: what a library printed last, what an error said. */
  detail: z.string().nullish(),
})
export const providerReportSchema = wayReportSchema.extend({ name: providerSchema })
export type ProviderReport = z.infer<typeof providerReportSchema>
export const backendReportSchema = wayReportSchema.extend({
  name: rungSchema,
  /** Of `native`: all that this system may have. What the rung itself says is that of the one in use, else of the fastest. */
  providers: z.array(providerReportSchema).optional(),
})
export const doctorReportSchema = z.object({
  backends: z.array(backendReportSchema),
  chosen: rungSchema.nullable(),
  /** Of the rung `native` where that is chosen. */
  provider: providerSchema.nullish(),
  threads: z.int().min(0),
  /** What the next start takes by itself, where it is something else than now ('native-webgpu': a provider of `native`). */
  next: computeSettingsSchema.shape.backend.nullish(),
  /** What the user asked for. */
  wanted: computeSettingsSchema,
  /** The choice was made at an earlier start, for the same versions and drivers. */
  cached: z.boolean(),
  cores: z.int().min(1),
  versions: z.record(z.string(), z.string()),
  memory: z.object({
    totalMB: z.number(),
    freeMB: z.number(),
    /** Of the compute process: what it holds, and the bound it keeps to. */
    processMB: z.number(),
    limitMB: z.number(),
  }),
})
export type DoctorReport = z.infer<typeof doctorReportSchema>

/** What can be chosen in a file or folder before it becomes a case. */
export const imageChoicesSchema = z.object({
  name: z.string(),
  kind: z.enum(['volume', 'image', 'slide']),
  /** "NIfTI-1", "DICOM" …, for display. */
  format: z.string(),
  dims: dimsSchema,
  /** Of a DICOM folder, the largest first; empty for other files. */
  series: z.array(
    z.object({
      id: z.string(),
      description: z.string(),
      modality: z.string(),
      images: z.int().min(1),
      dims: dimsSchema,
    }),
  ),
  frames: z.int().min(1),
  /** Of which one is chosen; empty where there is nothing to choose. */
  channels: z.array(z.string()),
  complex: z.boolean(),
  warnings: z.array(z.string()),
})
export type ImageChoices = z.infer<typeof imageChoicesSchema>

/** How masks are written: one file, one file per instance, or a data set for another program. */
export const maskFormatSchema = z.enum(['nifti', 'png', 'tiff', 'instances', 'coco', 'nnunet'])
export type MaskFormat = z.infer<typeof maskFormatSchema>

/** What a mask file holds, held against an image. */
export const maskLookSchema = z.object({
  format: z.string(),
  dims: dimsSchema,
  /** Present values, background left out; at most 1000. `name` where the file gives one. */
  labels: z.array(z.object({ value: z.int().min(1), name: z.string().nullable(), voxels: z.int().min(1) })),
  /** `same`: lies on the image voxel for voxel. `moved`: same extent, another place. `shape`: another extent. */
  fit: z.enum(['same', 'moved', 'shape']),
  /** What differs, and what was assumed in reading the file, in sentences; null where there is nothing to say. */
  difference: z.string().nullable(),
  /** Both have a geometry, so the mask can be resampled onto the image (nearest neighbour). */
  canResample: z.boolean(),
})
export type MaskLook = z.infer<typeof maskLookSchema>

/** A file or folder that the backend has seen on behalf of the page. The page holds the id; the path stays behind. */
export const fileEntrySchema = z.object({
  id: idSchema,
  name: z.string(),
  /** The full text to put into the path field when this completion is taken. */
  text: z.string(),
  kind: z.enum(['file', 'folder']),
})
export type FileEntry = z.infer<typeof fileEntrySchema>

/** What is looked for in a file dialog or by a path. */
export const fileKindSchema = z.enum(['image', 'folder', 'mask', 'network', 'version'])
export type FileKind = z.infer<typeof fileKindSchema>
