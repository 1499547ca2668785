import { z } from 'zod'
import { caseDetailSchema, caseSummarySchema, projectSchema } from './caseSchemas.ts'
import { learningMethods } from './learningMethods.ts'
import { networkFactsSchema, networkMeaningSchema } from './network.ts'
import { projectRecipeSchema, recipeChoiceSchema, recipeTrainingSchema } from './projectRecipe.ts'
import { dataReportSchema, recipeSchema } from './recipes.ts'
import { recipeReportSchema, reportFigureSchema } from './report.ts'
import {
  axisSchema,
  bytesSchema,
  computeSettingsSchema,
  computeStatusSchema,
  doctorReportSchema,
  fileEntrySchema,
  fileKindSchema,
  historySchema,
  imageChoicesSchema,
  imageSelectionSchema,
  idSchema,
  indexSchema,
  jobSchema,
  labelSchema,
  labelSliceSchema,
  labelValueSchema,
  maskFormatSchema,
  maskLookSchema,
  modelSummarySchema,
  sliceDataSchema,
  sliceRefSchema,
  strokeDeltaSchema,
  tileRegionSchema,
} from './schemas.ts'

const nothing = z.object({})
const caseRef = z.object({ caseId: idSchema })
const changed = z.object({ revision: z.int().min(0), delta: strokeDeltaSchema.nullable(), history: historySchema })

/**
 * All that the interface may ask of the backend. Parameters and results are validated on both ends.
 * Paths never come from the page, with one exception that is the point of it: the text of the path field
 * (`files.complete`), which only looks and gives ids.
 */
export const methods = {
  'app.info': {
    params: nothing,
    result: z.object({
      version: z.string(),
      shell: z.enum(['electron', 'browser', 'test']),
      /** Can `files.openDialog` and `files.saveDialog` show a native dialog? */
      nativeDialogs: z.boolean(),
      compute: computeStatusSchema,
    }),
  },
  /**
   * `fresh` tries every rung again; else those whose versions and drivers are as before are told from the last time.
   * Throws `busy` for a fresh one while a job runs, since trying would disturb both.
   */
  'app.doctor': { params: z.object({ fresh: z.boolean().default(false) }), result: doctorReportSchema },
  /** What is kept for this computer; `overruled` says where the environment of this run goes before it, else null. */
  'compute.settings': {
    params: nothing,
    result: computeSettingsSchema.extend({
      overruled: z.object({ backend: z.string().nullable(), threads: z.string().nullable() }),
    }),
  },
  /**
   * Starts compute again with the settings and keeps them for this computer; answers when it is ready. Throws `busy`
   * while a job runs or waits, `compute-failed` with the reason where they cannot be used: what worked before then runs
   * again and stays the setting.
   */
  'compute.configure': { params: computeSettingsSchema, result: nothing },
  'settings.get': { params: nothing, result: z.record(z.string(), z.unknown()) },
  'settings.set': { params: z.object({ key: z.string().min(1).max(64), value: z.unknown() }), result: nothing },

  'project.get': { params: nothing, result: projectSchema },
  /**
   * Opens another project in this workstation, in all of its windows: `project.opened` is told, and each reads afresh. The
   * project that is open stays so where the other cannot be opened. Throws `busy` while a job runs or waits, or where the
   * other is open in another Maskwright, `no-project` for a folder that is none.
   */
  'project.open': { params: z.object({ fileId: idSchema }), result: z.object({ id: idSchema }) },
  /** The projects that were open last on this computer and are still there, the newest first, without the open one. */
  'project.recent': {
    params: nothing,
    result: z.array(z.object({ folder: fileEntrySchema, name: z.string(), path: z.string(), isDemo: z.boolean() })),
  },

  /** Native dialogs; only where app.info says so. An empty list: the user cancelled. */
  'files.openDialog': { params: z.object({ kind: fileKindSchema.default('image') }), result: z.array(fileEntrySchema) },
  'files.saveDialog': { params: z.object({ suggestedName: z.string().max(255) }), result: fileEntrySchema.nullable() },
  /** Completions for the text of the path field: files of that kind and folders, at most 50, sorted. */
  'files.complete': {
    params: z.object({ text: z.string().max(4096), kind: fileKindSchema.default('image') }),
    result: z.array(fileEntrySchema),
  },
  /** Names the target of a save by the text of the path field; refuses folders that do not exist. */
  'files.target': { params: z.object({ text: z.string().min(1).max(4096) }), result: fileEntrySchema },
  /**
   * Drag and drop: the bytes travel, since a page cannot name a path. Kept in the project's images/ folder. Files that belong
   * together, a header and its voxels or the files of a DICOM series, are given the same `folder`, whose id the page makes
   * up: they come to lie side by side in a folder of that name. Throws `bad-file` for a name that cannot be part of an image.
   */
  'files.uploadBegin': {
    params: z.object({
      name: z.string().min(1).max(255),
      size: z
        .int()
        .min(0)
        .max(8 * 2 ** 30),
      folder: z
        .object({
          id: z.uuid(),
          name: z.string().min(1).max(255),
          /** The name of the file that is opened and stands for the others; null: the folder itself, of DICOM files. */
          header: z.string().min(1).max(255).nullable(),
        })
        .optional(),
    }),
    result: z.object({ uploadId: idSchema }),
  },
  'files.uploadChunk': {
    params: z.object({ uploadId: idSchema, offset: z.int().min(0), bytes: bytesSchema }),
    result: nothing,
  },
  /** What is to be opened: the file, or, of a file of a `folder`, its header or the folder, as soon as all files are there. */
  'files.uploadEnd': { params: z.object({ uploadId: idSchema }), result: fileEntrySchema },

  /** Reads the file far enough to know that it is an image, and adds it to the worklist; the same file twice is one case. */
  'case.add': {
    params: z.object({ fileId: idSchema, selection: imageSelectionSchema.default({}) }),
    result: caseSummarySchema,
  },
  /** What there is to choose in a file, or in a folder of DICOM files, before it is added. Changes nothing. */
  'case.look': {
    params: z.object({ fileId: idSchema, selection: imageSelectionSchema.default({}) }),
    result: imageChoicesSchema,
  },
  /** The user has seen the cautions of the case: it may be annotated. */
  'case.acknowledge': { params: caseRef, result: nothing },
  /** Which of two stated positions the image goes by, from now on and in exported masks. The voxels and the mask stay. */
  'case.useForm': {
    params: z.object({ caseId: idSchema, affine: z.enum(['sform', 'qform']) }),
    result: caseDetailSchema,
  },
  /** For annotation: it is the case that is open last from now on, and its strokes go on to compute as they are drawn. */
  'case.open': { params: caseRef, result: caseDetailSchema },
  /** To be looked at: what `case.open` answers, and nothing else follows from it. */
  'case.detail': { params: caseRef, result: caseDetailSchema },
  /** Takes the case off the worklist. Its journal stays in the project. */
  'case.remove': { params: caseRef, result: nothing },
  /** A moved image: the new place must hold the same voxels. */
  'case.relocate': { params: z.object({ caseId: idSchema, fileId: idSchema }), result: caseSummarySchema },
  /** RGBA, at most 96 pixels wide and high, the middle axial slice in its default window and display orientation. */
  'case.thumbnail': {
    params: caseRef,
    result: z.object({ width: z.int(), height: z.int(), rgba: bytesSchema }),
  },

  /** A tile of a slide, `tiles.width` x `tiles.height` pixels or less at the edges. */
  'slide.tile': {
    params: z.object({ caseId: idSchema, level: z.int().min(0).max(63), column: indexSchema, row: indexSchema }),
    result: sliceDataSchema,
  },
  /** Makes a rectangle of a slide a case of its own, to be annotated. At most 64 million pixels. */
  'slide.addRegion': {
    params: z.object({ caseId: idSchema, region: tileRegionSchema }),
    result: caseSummarySchema,
  },

  'volume.slice': { params: sliceRefSchema, result: sliceDataSchema },

  /** Layer `uncertainty`: one byte a voxel, 0 sure and 255 all labels equally likely; 0 where `modelId` is null. */
  'annotation.slice': {
    params: sliceRefSchema.extend({ layer: z.enum(['mask', 'prediction', 'uncertainty']) }),
    result: labelSliceSchema,
  },
  /** Appends durably, then answers. The same id again changes nothing and answers the same. */
  'annotation.commit': {
    params: z.object({ caseId: idSchema, delta: strokeDeltaSchema }),
    result: z.object({ revision: z.int().min(0), history: historySchema }),
  },
  /** `delta` is what was applied to the mask; null when there was nothing to undo / redo. */
  'annotation.undo': { params: caseRef, result: changed },
  'annotation.redo': { params: caseRef, result: changed },
  'annotation.history': { params: caseRef, result: historySchema },
  /**
   * Writes the prediction into the mask as one undoable stroke. Voxels of locked labels never change. Slices that a
   * person corrected are kept unless `keepCorrected` is false, and so are, in any slice, voxels that are as a person drew or imported
   * them; a single slice is asked for by name, so it is taken, save what was drawn through it in another plane.
   */
  'annotation.accept': {
    params: z.object({
      caseId: idSchema,
      scope: z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('volume') }),
        z.object({ kind: z.literal('slice'), axis: axisSchema, index: indexSchema }),
      ]),
      /** Only these predicted labels; null: all of them, and background too. */
      labels: z.array(labelValueSchema).nullable(),
      keepCorrected: z.boolean(),
    }),
    result: changed.extend({
      changedVoxels: z.int().min(0),
      keptLockedVoxels: z.int().min(0),
      keptCorrectedSlices: z.int().min(0),
    }),
  },

  'labels.add': {
    params: z.object({ name: z.string().min(1).max(80), color: labelSchema.shape.color.nullable() }),
    result: labelSchema,
  },
  'labels.update': {
    params: z.object({ value: labelValueSchema.min(1), change: labelSchema.omit({ value: true }).partial() }),
    result: labelSchema,
  },
  /** Where the label is used: what the confirmation of its deletion says. */
  'labels.usage': {
    params: z.object({ value: labelValueSchema.min(1) }),
    result: z.object({ voxels: z.int().min(0), cases: z.int().min(0) }),
  },
  /** Erases its voxels in every case, as one undoable stroke each, and takes it off the list. Refused while locked. */
  'labels.remove': { params: z.object({ value: labelValueSchema.min(1) }), result: nothing },

  /**
   * What an ONNX file is, found out by reading and running it, in a process that it may take along. `name` is what the model
   * is to be called. Throws `bad-file` with the reason where it cannot be used.
   */
  'models.inspect': {
    params: z.object({ fileId: idSchema }),
    result: z.object({ name: z.string(), facts: networkFactsSchema }),
  },
  /**
   * Makes the inspected file the next version of the model, for prediction, and uses it. Classes that are called as a
   * label of the project get that label, others a new one.
   */
  'models.import': {
    params: z.object({ fileId: idSchema, meaning: networkMeaningSchema }),
    result: modelSummarySchema,
  },
  /** What the training by a recipe came to. Throws `not-found` where the version has no report. */
  'models.report': { params: z.object({ modelId: idSchema }), result: recipeReportSchema },
  /** A figure that the report names. */
  'models.figure': {
    params: z.object({ modelId: idSchema, file: reportFigureSchema.shape.file }),
    result: z.object({ type: z.enum(['image/png', 'image/svg+xml', 'image/gif']), bytes: bytesSchema }),
  },
  /** Writes the report as one HTML file that needs nothing else; `fileId` null: into the project's exports/ folder. */
  'models.saveReport': {
    params: z.object({ modelId: idSchema, fileId: idSchema.nullable() }),
    result: z.object({ path: z.string(), bytes: z.int() }),
  },

  /** Predicts the given slice first, then the whole volume. Events `prediction.slices` and `job.changed` follow. */
  'predict.start': { params: z.object({ caseId: idSchema, index: indexSchema }), result: jobSchema },
  /** The recipes that come with the workstation. */
  'recipes.list': { params: nothing, result: z.array(recipeSchema) },
  /** How the open project stands to recipes; to be read again whenever the page is loaded. */
  'recipes.state': {
    params: nothing,
    result: z.object({
      /** What the project was made from. */
      project: projectRecipeSchema.nullable(),
      training: recipeTrainingSchema.nullable(),
    }),
  },
  /** Looks through the data of a choice, reading every file; `recipes.found` gives what the job found. */
  'recipes.check': {
    params: recipeChoiceSchema.extend({ thumbnails: z.int().min(0).max(60).default(24) }),
    result: jobSchema,
  },
  /** Of the last few checks of this run. Throws `not-found` for others, and for one that is not done. */
  'recipes.found': { params: z.object({ jobId: idSchema }), result: dataReportSchema },
  /** A sheet of patches as the training would see them, with the contours of their labels, as PNG. */
  'recipes.sheet': {
    params: recipeChoiceSchema.extend({
      rows: z.int().min(1).max(12).default(4),
      columns: z.int().min(1).max(12).default(6),
    }),
    result: z.object({ png: bytesSchema }),
  },
  /**
   * Makes a project of the cases of a choice in the new or empty folder `name` of the folder `parentId`: the images stay
   * where they are, their masks become those of the cases, and the labels are the recipe's. It is there when the job is
   * done, whole or not at all; `project.open` with `folder` opens it. Throws `conflict` where the folder holds something.
   */
  'recipes.create': {
    params: recipeChoiceSchema.extend({ parentId: idSchema, name: z.string().trim().min(1).max(120) }),
    result: z.object({ job: jobSchema, folder: fileEntrySchema }),
  },
  /**
   * Trains by a recipe; events `recipe.event` and `job.changed` follow, and the model becomes the next version. What is
   * needed to go on from the last epoch is kept until it is done. Throws `busy` while another training runs, `conflict`
   * where an interrupted one waits and `replace` is not said, or where a label of the project means something else.
   */
  'recipes.train': {
    params: recipeChoiceSchema.extend({ replace: z.boolean().default(false) }),
    result: jobSchema,
  },
  /** Goes on with the interrupted training. `folderId`: where its data lies by now; null: where it was. */
  'recipes.resume': { params: z.object({ folderId: idSchema.nullable().default(null) }), result: jobSchema },
  /** Gives up the interrupted training and what was kept of it. */
  'recipes.discard': { params: nothing, result: nothing },
  /**
   * Stops a job within one step of it. A job that several windows asked for goes on for the others: `notice` says so.
   * Throws `busy` in a window that did not ask for it, while one that did is open.
   */
  'job.cancel': {
    params: z.object({ jobId: idSchema }),
    result: jobSchema.extend({ notice: z.string().optional() }),
  },

  /** Reads a mask file, or a folder of them, and holds it against the image of the case. Changes nothing. */
  'mask.look': { params: z.object({ caseId: idSchema, fileId: idSchema }), result: maskLookSchema },
  /**
   * Writes a mask from a file into the mask of the case, as one undoable stroke. Throws `bad-request` where it does not
   * fit and `resample` is false, or holds labels beyond 255 that are not asked to become one. Voxels of locked labels stay.
   */
  'mask.import': {
    params: z.object({
      caseId: idSchema,
      fileId: idSchema,
      /** By the affines of both, nearest neighbour. */
      resample: z.boolean(),
      /** `keep`: its own values, new ones become labels of the project. A value: all that is not background becomes it. */
      labels: z.union([z.literal('keep'), labelValueSchema.min(1)]),
    }),
    result: changed.extend({
      changedVoxels: z.int().min(0),
      keptLockedVoxels: z.int().min(0),
      newLabels: z.array(labelSchema),
    }),
  },

  /**
   * Writes, reopens and compares; only then answers. `fileId` null: into the project's exports/ folder. `format` null: NIfTI for
   * volumes, PNG for pictures.
   */
  'export.mask': {
    params: z.object({
      caseId: idSchema,
      fileId: idSchema.nullable(),
      format: maskFormatSchema.nullable().default(null),
    }),
    result: z.object({
      path: z.string(),
      bytes: z.int(),
      voxels: z.int(),
      labels: z.array(labelValueSchema),
      verified: z.literal(true),
    }),
  },
  /**
   * Writes the masks of several cases, and for nnU-Net the images, as one data set into a folder that is new or empty; all are read
   * back and compared. `caseIds` null: all that have a mask, `only` those of a kind: nnU-Net keeps kinds apart. The job's message
   * names the folder.
   */
  'export.dataset': {
    params: z.object({
      format: z.enum(['instances', 'coco', 'nnunet']),
      caseIds: z.array(idSchema).min(1).nullable(),
      only: z.enum(['volumes', 'grey', 'colour']).nullish(),
      fileId: idSchema.nullable(),
    }),
    result: jobSchema,
  },
  ...learningMethods,
} as const satisfies Record<string, { params: z.ZodType; result: z.ZodType }>

export type Methods = typeof methods
export type MethodName = keyof Methods
export type MethodParams<M extends MethodName> = z.input<Methods[M]['params']>
export type MethodResult<M extends MethodName> = z.output<Methods[M]['result']>

/** What a backend implements: one function a method. The signal is aborted when the caller cancels or goes away. */
export interface CallContext {
  readonly signal: AbortSignal
  /** The connection's session, so that an event need not go back to who caused it. */
  readonly sessionId: string
  /** Is the page of this session there, now or again, whenever this is asked? Absent: it is. */
  readonly connected?: () => boolean
}
export type Handlers = {
  [M in MethodName]: (params: z.output<Methods[M]['params']>, context: CallContext) => Promise<MethodResult<M>>
}

/** `Handlers` in part: a shell adds `files.openDialog` and its like to what the backend gives. */
export type PartialHandlers = Partial<Handlers>
