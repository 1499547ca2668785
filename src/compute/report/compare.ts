import { copyFile, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { CodedError } from '../../core/contract/errors.ts'
import { FIGURES_FOLDER, recipeReportSchema, REPORT_FILE, REPORT_FOLDER } from '../../core/contract/report.ts'
import { writeError } from '../../imaging/files.ts'
import { meanScores } from '../../core/metrics/index.ts'
import { flatSettings } from './settings.ts'
import { writeReport } from './write.ts'
import type { CasePart } from '../../core/contract/recipes.ts'
import type { RecipeReport, ReportComparison, ReportFigure } from '../../core/contract/report.ts'

/** The report in the folder of a model. Throws `bad-file` or `file-missing` that names the folder. */
export async function readReport(modelDir: string): Promise<RecipeReport> {
  const name = basename(modelDir)
  const text = await readFile(join(modelDir, REPORT_FOLDER, REPORT_FILE), 'utf8').catch((cause: unknown) => {
    throw new CodedError('file-missing', `${name} has no report; choose the folder of a model that a recipe trained.`, {
      cause,
    })
  })
  const report = recipeReportSchema.safeParse(parsed(text))
  if (report.success) return report.data
  throw new CodedError('bad-file', `The report of ${name} cannot be read; train the model again.`, {
    detail: report.error.message,
  })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * Puts other models beside one in its report: means over the cases that both were scored on, settings that differ, and the
 * figures of the same cases, which are copied. What stood beside it before goes. Refused with `bad-request` where the recipe or
 * the labels are others, where they share no scored case, or where a case that one was scored on was learned from by the other.
 */
export async function compareReports(modelDir: string, otherDirs: readonly string[]): Promise<RecipeReport> {
  const ours = await readReport(modelDir)
  if (otherDirs.length + ours.comparisons.length === 0) return ours
  const others = await Promise.all(otherDirs.map(readReport))
  const found = others.map((other, at) => besides(ours, other, basename(otherDirs[at] ?? '')))
  const comparisons = await Promise.all(found.map((each, at) => withFigures(each, at, modelDir, otherDirs[at] ?? '')))
  const report = { ...ours, comparisons }
  await writeReport(join(modelDir, REPORT_FOLDER), report)
  return report
}

/** Copies the figures, under names that tell whose they are. */
async function withFigures(
  comparison: ReportComparison,
  at: number,
  modelDir: string,
  otherDir: string,
): Promise<ReportComparison> {
  const figures: Record<string, ReportFigure[]> = {}
  for (const [id, theirs] of Object.entries(comparison.figures)) {
    figures[id] = []
    for (const figure of theirs) {
      const file = `other${at + 1}-${figure.file}`
      const from = join(otherDir, REPORT_FOLDER, FIGURES_FOLDER, figure.file)
      await copyFile(from, join(modelDir, REPORT_FOLDER, FIGURES_FOLDER, file)).catch((error: unknown) => {
        throw writeError(error, file)
      })
      figures[id].push({ ...figure, file })
    }
  }
  return { ...comparison, figures }
}

/** What of a model decides, beside its recipe, whether another may stand beside it; known before it is trained. */
export interface ComparableModel {
  readonly labels: readonly number[]
  readonly split: readonly { readonly id: string; readonly part: CasePart }[]
  readonly scoredOn: CasePart
  /** The ids of the cases that it is scored on. */
  readonly scored: readonly string[]
}

/**
 * Refuses models that cannot stand beside one of this recipe, as compareReports does, so that nothing is trained for a comparison
 * that comes to nothing: at once where they are no such models, and in what it returns by the cases of the data.
 */
export async function comparisonCheck(
  recipe: string,
  otherDirs: readonly string[],
): Promise<(ours: ComparableModel) => void> {
  const others = await Promise.all(
    otherDirs.map(async (dir) => ({ folder: basename(dir), report: await readReport(dir) })),
  )
  for (const { folder, report } of others) if (report.recipe.name !== recipe) throw otherRecipe(recipe, folder)
  return (ours) => {
    for (const { folder, report } of others) commonCases(recipe, ours, report, folder)
  }
}

/** The ids of the cases that both are scored on, in the order of ours. Throws as compareReports. */
function commonCases(recipe: string, ours: ComparableModel, other: RecipeReport, folder: string): string[] {
  const sameLabels = JSON.stringify(ours.labels) === JSON.stringify(other.labels.map(({ value }) => value))
  if (recipe !== other.recipe.name || !sameLabels) throw otherRecipe(recipe, folder)
  const learned = new Set([...ours.split, ...other.split].filter(({ part }) => part === 'train').map(({ id }) => id))
  const theirs = new Set(other.cases.map(({ scores }) => scores.id))
  const common = ours.scored.filter((id) => theirs.has(id))
  const seen = common.find((id) => learned.has(id))
  if (seen !== undefined && (ours.scoredOn !== 'train' || other.scoredOn !== 'train')) {
    throw refused(
      `${folder} cannot stand beside it: ${seen} was learned from by one of both; train both with the same seed and split.`,
    )
  }
  if (common.length === 0) {
    throw refused(`${folder} was scored on other cases; train both on the same data with the same seed and split.`)
  }
  return common
}

function otherRecipe(recipe: string, folder: string): CodedError {
  return refused(`${folder} was trained by another recipe or for other labels; choose a model of ${recipe}.`)
}

function besides(ours: RecipeReport, other: RecipeReport, folder: string): ReportComparison {
  const labels = ours.labels.map(({ value }) => value)
  const { split, scoredOn } = ours
  const scored = ours.cases.map(({ scores }) => scores.id)
  const ids = new Set(commonCases(ours.recipe.name, { labels, split, scoredOn, scored }, other, folder))
  const common = ours.cases.filter(({ scores }) => ids.has(scores.id))
  const shown = new Set(common.filter((each) => each.shown !== null).map(({ scores }) => scores.id))
  const matching = other.cases.filter(({ scores }) => ids.has(scores.id))
  return {
    name: nameOf(ours, other),
    preset: other.preset,
    epochs: other.history.length,
    parameters: other.model.parameters,
    seconds: other.machine.seconds,
    common: common.length,
    ours: meanScores(
      common.map(({ scores }) => scores),
      labels,
    ),
    metrics: meanScores(
      matching.map(({ scores }) => scores),
      labels,
    ),
    ranks: Object.fromEntries(matching.map(({ scores, rank }) => [scores.id, rank])),
    figures: Object.fromEntries(
      matching.filter(({ scores }) => shown.has(scores.id)).map(({ scores, figures }) => [scores.id, figures]),
    ),
    differences: differences(ours, other),
  }
}

function refused(message: string): CodedError {
  return new CodedError('bad-request', message)
}

/** "Article settings" where that says which; else the other's own name. */
function nameOf(ours: RecipeReport, other: RecipeReport): string {
  return other.preset === 'article' && ours.preset !== 'article' ? 'Article settings' : other.model.name
}

function differences(ours: RecipeReport, other: RecipeReport): ReportComparison['differences'] {
  const [own, theirs] = [new Map(flatSettings(ours.settings)), new Map(flatSettings(other.settings))]
  const names = [...new Set([...own.keys(), ...theirs.keys()])]
  return names.flatMap((name) => {
    const [a, b] = [own.get(name) ?? '\u2013', theirs.get(name) ?? '\u2013']
    return a === b ? [] : [{ name, ours: a, other: b }]
  })
}
