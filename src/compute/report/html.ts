import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FIGURES_FOLDER } from '../../core/contract/report.ts'
import { keptWeights, type KeptWeights } from '../../core/recipes/index.ts'
import { decodePng, encodeJpeg } from '../../imaging/index.ts'
import { anchor } from './anchor.ts'
import { diceChart, lossChart } from './curves.ts'
import { chartSvg, escaped } from './drawing/chart.ts'
import { SORTING, STYLE } from './htmlAssets.ts'
import { casesTable, comparisonSection, headline } from './htmlTables.ts'
import { dataSection, machineSection, settingsSection } from './htmlFacts.ts'
import { numberText, metricName } from './words.ts'
import type { RecipeReport, ReportCase, ReportFigure } from '../../core/contract/report.ts'

/** Of JPEG: pictures in the page are to be looked at; the files beside it are exact. */
const QUALITY = 86

const SHOWN = { worst: 'Among the worst', sample: 'From the sample', best: 'Among the best' } as const

/**
 * The report as one HTML file that needs no other, nothing from a network, and no script to be read. Pictures are in it as
 * JPEG, curves as SVG, the animation as it is. `dir`: of the report, whose figures are there.
 */
export async function htmlOf(dir: string, report: RecipeReport): Promise<string> {
  return page(report, await embedded(dir, report))
}

/** Data URIs by file name; what is not there any more is left out. */
type Embedded = ReadonlyMap<string, string>

async function embedded(dir: string, report: RecipeReport): Promise<Embedded> {
  const files = [
    ...report.figures.filter(({ kind }) => kind === 'progress'),
    ...report.cases.flatMap(({ figures }) => figures),
    ...report.comparisons.flatMap(({ figures }) => Object.values(figures).flat()),
  ].map(({ file }) => file)
  const found = new Map<string, string>()
  for (const file of files) {
    const bytes = await readFile(join(dir, FIGURES_FOLDER, file)).catch(() => null)
    if (bytes === null) continue
    found.set(file, file.endsWith('.gif') ? uri('image/gif', bytes) : uri('image/jpeg', await asJpeg(bytes, file)))
  }
  return found
}

async function asJpeg(png: Uint8Array, file: string): Promise<Uint8Array> {
  const { width, height, data } = await decodePng(png, file)
  return encodeJpeg({ width, height, channels: 3, data: Uint8Array.from(data) }, QUALITY)
}

function uri(type: string, bytes: Uint8Array): string {
  return `data:${type};base64,${Buffer.from(bytes).toString('base64')}`
}

function page(report: RecipeReport, figures: Embedded): string {
  const { recipe, model, scoredOn, cases } = report
  const script = createHash('sha256').update(SORTING).digest('base64')
  const title = `${recipe.title}: ${model.name}`
  const scored = { holdout: 'held-out', validation: 'validation', train: 'training' }[scoredOn]
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-${script}'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark light">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<p class="over">${escaped(recipe.name)} · ${report.preset === 'article' ? "the article's settings" : 'our settings'} · ${escaped(model.createdAt.slice(0, 16).replace('T', ' '))}</p>
<h1>${escaped(title)}</h1>
<p>${escaped(recipe.summary)}</p>
${scoredOn === 'train' ? '<p class="warn">Nothing was held out: these numbers were measured on what was learned from, and say little of other images.</p>' : ''}
${headline(report)}
<p class="note">Means over ${cases.length} ${scored} ${cases.length === 1 ? 'case' : 'cases'}, each measured whole, at its own size. Distances in ${report.distanceUnit === 'mm' ? 'mm' : 'pixels'}.</p>
</header>
<main>
${comparisonSection(report)}
${learningSection(report, figures)}
${casesTable(report)}
${casesSection(report, figures)}
${settingsSection(report)}
${dataSection(report)}
${machineSection(report)}
</main>
<script>${SORTING}</script>
</body>
</html>
`
}

function learningSection(report: RecipeReport, figures: Embedded): string {
  const { history, bestEpoch, labels } = report
  const charts = history.length === 0 ? [] : [lossChart(history, bestEpoch), diceChart(history, bestEpoch, labels)]
  const curves = charts.flatMap((chart) => (chart === null ? [] : [`<figure>${chartSvg(chart, false)}</figure>`]))
  const moving = report.figures
    .filter(({ kind }) => kind === 'progress')
    .map((figure) => picture(figure, figures, 'The predictions by epoch'))
  if (curves.length + moving.length === 0) return ''
  const kept = keptWeights(report)
  const note = kept === null ? '' : `<p class="note">The weights that were kept are ${keptWords(kept)}.</p>`
  return `<section><h2>Learning</h2>${note}<div class="curves">${curves.join('')}</div>${moving.join('')}</section>`
}

function keptWords(kept: KeptWeights): string {
  if (kept.kind === 'first') return 'those from before the first epoch; none of the epochs was better'
  if (kept.kind === 'last') return `those after epoch ${kept.epoch}, the last`
  return `those of epoch ${kept.epoch}, the best ${kept.validated ? 'in validation' : 'on what is learned from'}`
}

function casesSection(report: RecipeReport, figures: Embedded): string {
  const shown = report.cases.filter(({ shown: why }) => why !== null)
  if (shown.length === 0) return ''
  const all = shown.length === report.cases.length
  const which = all
    ? 'All scored cases'
    : `${shown.length} of ${report.cases.length} scored cases: the worst, the best, and a sample that hangs on their names alone`
  return `<section><h2>Figures</h2><p class="note">${which}; the worst first.</p>${legend(report)}${shown.map((each) => caseArticle(each, report, figures)).join('')}</section>`
}

function legend({ labels }: RecipeReport): string {
  const entries = labels.map(
    ({ name, color }) => `<li><i style="background:${escaped(color)}"></i>${escaped(name)}</li>`,
  )
  return `<ul class="legend">${entries.join('')}<li><i class="dashed"></i>Truth, in contours</li></ul>`
}

function caseArticle(each: ReportCase, report: RecipeReport, figures: Embedded): string {
  const { scores, shown } = each
  const facts = caseFacts(each, report)
  const others = report.comparisons.flatMap((comparison) =>
    (comparison.figures[scores.id] ?? []).map((figure) =>
      picture(figure, figures, `${scores.id}, ${comparison.name}`, `${comparison.name}: `),
    ),
  )
  const own = each.figures.map((figure) => picture(figure, figures, `${scores.id}, ${figure.kind}`))
  const beside =
    others.length === 0
      ? ''
      : `<details><summary>The same case by the other model</summary>${others.join('')}</details>`
  return `<article id="${anchor(scores.id)}"><h3>${escaped(scores.id)} <small>${shown === null ? '' : SHOWN[shown]}</small></h3><p class="facts">${facts}</p>${own.join('')}${beside}</article>`
}

function caseFacts({ scores }: ReportCase, { labels }: RecipeReport): string {
  const facts = labels.map(({ value }) => {
    const key = String(value)
    const name = labels.length > 1 ? metricName(`dice:${key}`, labels) : 'Dice'
    return `${escaped(name)} <b>${numberText(scores.dice[key])}</b>`
  })
  facts.push(`Pixel accuracy <b>${numberText(scores.pixelAccuracy)}</b>`)
  if (scores.instances !== undefined) {
    const { ap, ap50, tp, fp, fn } = scores.instances
    facts.push(
      `AP <b>${numberText(ap)}</b>`,
      `AP50 <b>${numberText(ap50)}</b>`,
      `objects found ${tp}, false ${fp}, missed ${fn}`,
    )
  }
  return facts.join(' · ')
}

function picture(figure: ReportFigure, figures: Embedded, alt: string, before = ''): string {
  const source = figures.get(figure.file)
  if (source === undefined) return ''
  return `<figure><img src="${source}" width="${figure.width}" height="${figure.height}" alt="${escaped(alt)}"><figcaption>${escaped(before + figure.caption)}</figcaption></figure>`
}
