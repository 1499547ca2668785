import { copyFile, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { CodedError } from '../../core/contract/errors.ts'
import { FIGURES_FOLDER, recipeReportSchema, REPORT_FILE, REPORT_FOLDER } from '../../core/contract/report.ts'
import { writeError } from '../../imaging/files.ts'
import { meanScores } from '../../core/metrics/index.ts'
import { flatSettings } from './settings.ts'
import { writeReport } from './write.ts'
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

function besides(ours: RecipeReport, other: RecipeReport, folder: string): ReportComparison {
  const labels = ours.labels.map(({ value }) => value)
  const same = JSON.stringify(labels) === JSON.stringify(other.labels.map(({ value }) => value))
  if (ours.recipe.name !== other.recipe.name || !same) {
    throw refused(`${folder} was trained by another recipe or for other labels; choose a model of ${ours.recipe.name}.`)
  }
  const learned = new Set([...ours.split, ...other.split].filter(({ part }) => part === 'train').map(({ id }) => id))
  const theirs = new Map(other.cases.map((each) => [each.scores.id, each]))
  const common = ours.cases.filter(({ scores }) => theirs.has(scores.id))
  const seen = common.find(({ scores }) => learned.has(scores.id))
  if (seen !== undefined && (ours.scoredOn !== 'train' || other.scoredOn !== 'train')) {
    throw refused(
      `${folder} cannot stand beside it: ${seen.scores.id} was learned from by one of both; train both with the same seed and split.`,
    )
  }
  if (common.length === 0) {
    throw refused(`${folder} was scored on other cases; train both on the same data with the same seed and split.`)
  }
  const shown = new Set(common.filter((each) => each.shown !== null).map(({ scores }) => scores.id))
  const matching = other.cases.filter(({ scores }) => common.some((each) => each.scores.id === scores.id))
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
