import { z } from 'zod'
import { casePartSchema, caseScoresSchema, dataReportSchema, recipeSettingsSchema } from './recipes.ts'
import { labelValueSchema } from './schemas.ts'

/**
 * `report/report.json` in the folder of a model that a recipe trained: everything that report.html shows, for the
 * interface. Beside it lie report.html (one file that needs no other), cases.csv, and `report/figures/`.
 */
export const REPORT_FOLDER = 'report'
export const REPORT_FILE = 'report.json'
/** Inside of `report/`. */
export const FIGURES_FOLDER = 'figures'

/** The format that this version writes. */
export const REPORT_FORMAT = 1

/** A file in `report/figures/`. */
export const reportFigureSchema = z.object({
  /**
   * Of a case, `panels`: image, truth, prediction, both over the image, and contours, side by side; `cuts`: contours over each
   * cut of a volume; `planes`: the three planes through the middle of what was to be found. Of all, `loss`, `dice`: curves over epochs;
   * `progress`: the same pictures epoch by epoch, animated.
   */
  kind: z.enum(['panels', 'cuts', 'planes', 'loss', 'dice', 'progress']),
  file: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*\.(?:png|svg|gif)$/),
  /** Pixels. */
  width: z.int().min(1),
  height: z.int().min(1),
  /** What it shows, in a sentence or two. */
  caption: z.string(),
})
export type ReportFigure = z.infer<typeof reportFigureSchema>

export const reportCaseSchema = z.object({
  part: casePartSchema,
  scores: caseScoresSchema,
  /** What the cases are ranked by, larger is better; null: counts as the worst. */
  rank: z.number().nullable(),
  /** Why it has figures: among the worst, among the best, or one of a sample that has nothing to do with its scores. */
  shown: z.enum(['worst', 'sample', 'best']).nullable(),
  /** Empty where `shown` is null. */
  figures: z.array(reportFigureSchema),
})
export type ReportCase = z.infer<typeof reportCaseSchema>

/** Another model that was scored on the same kind of data: the settings of the article, say. */
export const reportComparisonSchema = z.object({
  name: z.string(),
  preset: z.enum(['best', 'article']),
  epochs: z.int(),
  parameters: z.int(),
  seconds: z.number(),
  /** Of this many cases that both were scored on, the other's scores; means are over these alone, for both. */
  common: z.int(),
  metrics: z.record(z.string(), z.number().nullable()),
  ours: z.record(z.string(), z.number().nullable()),
  /** What is ranked by, for each case that both have. */
  ranks: z.record(z.string(), z.number().nullable()),
  /** Figures by case, copied into our own folder. */
  figures: z.record(z.string(), z.array(reportFigureSchema)),
  /** Settings that differ: dotted name, ours, the other's. */
  differences: z.array(z.object({ name: z.string(), ours: z.string(), other: z.string() })),
})
export type ReportComparison = z.infer<typeof reportComparisonSchema>

export const historyEpochSchema = z.object({
  epoch: z.int(),
  loss: z.number(),
  valLoss: z.number().nullable(),
  /** Of the validation part: `dice`, `dice:1`, `accuracy` … */
  val: z.record(z.string(), z.number().nullable()),
  rate: z.number(),
  /** Since the training began, of all its runs. */
  seconds: z.number(),
})
export type HistoryEpoch = z.infer<typeof historyEpochSchema>

export const recipeReportSchema = z.object({
  format: z.literal(REPORT_FORMAT),
  recipe: z.object({
    name: z.string(),
    title: z.string(),
    summary: z.string(),
    article: z.string(),
    /** Named first, in this order. */
    metrics: z.array(z.string()),
  }),
  preset: z.enum(['best', 'article']),
  settings: recipeSettingsSchema,
  model: z.object({ id: z.string(), name: z.string(), createdAt: z.string(), parameters: z.int() }),
  labels: z.array(z.object({ value: labelValueSchema.min(1), name: z.string(), color: z.string() })),
  /** Part that was scored: `holdout` unless nothing was held out. */
  scoredOn: casePartSchema,
  /** Means over the scored cases. */
  metrics: z.record(z.string(), z.number().nullable()),
  /** mm, or pixels where no spacing is known. */
  distanceUnit: z.enum(['mm', 'px']),
  history: z.array(historyEpochSchema),
  /** The epoch whose weights were kept; null: the last. */
  bestEpoch: z.int().nullable(),
  /** Scored cases, the worst first. */
  cases: z.array(reportCaseSchema),
  /** All cases of the data. */
  split: z.array(z.object({ id: z.string(), patient: z.string(), part: casePartSchema })),
  left: dataReportSchema.shape.left,
  remarks: dataReportSchema.shape.remarks,
  figures: z.array(reportFigureSchema),
  machine: z.object({
    backend: z.string(),
    device: z.string().nullable(),
    threads: z.int(),
    seed: z.int(),
    /** Of all runs of the training, scoring left out. */
    seconds: z.number(),
    versions: z.record(z.string(), z.string()),
  }),
  comparisons: z.array(reportComparisonSchema),
})
export type RecipeReport = z.infer<typeof recipeReportSchema>
