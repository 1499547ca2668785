import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { FIGURES_FOLDER, REPORT_FORMAT, recipeReportSchema } from '../../core/contract/report.ts'
import { renderSvg } from '../../imaging/index.ts'
import { caseFigures } from './caseFigures.ts'
import { diceChart, lossChart } from './curves.ts'
import { CHART_HEIGHT, CHART_WIDTH, chartSvg } from './drawing/chart.ts'
import { reportColour } from './drawing/labels.ts'
import { canvasPng } from './drawing/sheet.ts'
import { figureName } from './files.ts'
import { animation, keepFrame } from './progress.ts'
import { put, writeReport } from './write.ts'
import { rankOf, Selection, worseFirst } from './selection.ts'
import type { RecipeReport, ReportCase, ReportFigure } from '../../core/contract/report.ts'
import type { CasePart, CaseScores } from '../../core/contract/recipes.ts'
import type { Chart } from './drawing/chart.ts'
import type { Report, ReportEnd, ReportOptions, ScoredCase } from './types.ts'

interface KeptCase {
  readonly id: string
  readonly part: CasePart
  readonly scores: CaseScores
  readonly rank: number | null
  readonly figures: ReportFigure[]
}

/**
 * Starts the report of a training: `dir` is made, and emptied where a training that was killed had begun it. Methods throw
 * what writing throws, and what reading a case's image throws.
 */
export async function createReport(options: ReportOptions): Promise<Report> {
  const figuresDir = join(options.dir, FIGURES_FOLDER)
  await rm(options.dir, { recursive: true, force: true })
  await mkdir(figuresDir, { recursive: true })
  const values = options.labels.map(({ value }) => value)
  const cases = new Map<string, KeptCase>()
  const selection = new Selection()
  let millimetres = true

  const forget = async (id: string): Promise<void> => {
    const figures = cases.get(id)?.figures.splice(0) ?? []
    for (const { file } of figures) await rm(join(figuresDir, file), { force: true })
  }

  return {
    addEpoch: (epoch, pictures) =>
      keepFrame(options.progressDir, { epoch, epochs: options.epochs }, pictures, values.length),

    async addCase(scored: ScoredCase) {
      const { id, part, scores } = scored
      const rank = rankOf(scores, options.recipe.metrics[0])
      const kept: KeptCase = { id, part, scores: { id, ...scores }, rank, figures: [] }
      cases.set(id, kept)
      millimetres &&= scored.image.spacingKnown
      const gone = selection.add(id, rank)
      for (const other of gone) await forget(other)
      if (gone.includes(id)) return
      for (const { kind, canvas, caption } of await caseFigures(scored, values)) {
        const file = figureName(kind, id)
        await put(join(figuresDir, file), await canvasPng(canvas))
        kept.figures.push({ kind, file, width: canvas.width, height: canvas.height, caption })
      }
    },

    async finish(end: ReportEnd) {
      const labels = options.labels.map((label, place) => ({ ...label, color: reportColour(place) }))
      const figures = await trainingFigures(figuresDir, end, labels)
      const moving = await progressFigure(figuresDir, options.progressDir, end)
      const scoredCases = [...cases.values()]
        .sort(worseFirst)
        .map(({ id, part, scores, rank, figures: own }): ReportCase => {
          return { part, scores, rank, shown: selection.reason(id), figures: own }
        })
      const { name, title, summary, article, metrics } = options.recipe
      const report = recipeReportSchema.parse({
        format: REPORT_FORMAT,
        recipe: { name, title, summary, article, metrics },
        ...end,
        history: [...end.history],
        labels,
        distanceUnit: millimetres ? 'mm' : 'px',
        cases: scoredCases,
        figures: moving === null ? figures : [...figures, moving],
        comparisons: [],
      } satisfies RecipeReport)
      await writeReport(options.dir, report)
      return report
    },
  }
}

async function trainingFigures(
  dir: string,
  { history, bestEpoch }: ReportEnd,
  labels: RecipeReport['labels'],
): Promise<ReportFigure[]> {
  if (history.length === 0) return []
  const figures: ReportFigure[] = []
  const draw = async (kind: 'loss' | 'dice', chart: Chart, caption: string): Promise<void> => {
    const svg = chartSvg(chart, true)
    const files = { [`${kind}.svg`]: svg, [`${kind}.png`]: await renderSvg(svg, 2) }
    for (const [file, content] of Object.entries(files)) {
      await put(join(dir, file), content)
      const scale = file.endsWith('.png') ? 2 : 1
      figures.push({ kind, file, width: CHART_WIDTH * scale, height: CHART_HEIGHT * scale, caption })
    }
  }
  await draw(
    'loss',
    lossChart(history, bestEpoch),
    'Loss after each epoch, on what is learned from and on the validation part.',
  )
  const dice = diceChart(history, bestEpoch, labels)
  if (dice !== null) await draw('dice', dice, `${dice.title} after each epoch.`)
  return figures
}

async function progressFigure(dir: string, progressDir: string, { history }: ReportEnd): Promise<ReportFigure | null> {
  const moving = await animation(progressDir, history.at(-1)?.epoch ?? 0)
  if (moving === null) return null
  await put(join(dir, 'progress.gif'), moving.gif)
  return {
    kind: 'progress',
    file: 'progress.gif',
    width: moving.width,
    height: moving.height,
    caption:
      'The same pictures after each epoch: above the truth, below what was predicted, with the contour of the truth dashed where it differs.',
  }
}
