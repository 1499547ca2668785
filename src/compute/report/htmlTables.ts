import { meanKeys } from '../../core/metrics/index.ts'
import { anchor } from './anchor.ts'
import { escaped } from './drawing/chart.ts'
import { durationText, inSentence, metricName, numberText } from './words.ts'
import type { CaseScores } from '../../core/contract/recipes.ts'
import type { RecipeReport, ReportComparison } from '../../core/contract/report.ts'

/** Where less is better. */
const ERRORS = new Set(['hd', 'hd95', 'assd', 'warping', 'rand', 'undefinedDistances'])
/** In this order, as far as they are there. */
const TABLED = ['accuracy', 'dice', 'iou', 'hd95', 'assd', 'ap', 'ap50', 'warping', 'rand']

/** The recipe's metrics, large, first of all; of several labels each one's below. */
export function headline(report: RecipeReport): string {
  const keys = [...new Set(report.recipe.metrics.map(meanKeyOf))].filter((key) => key in report.metrics)
  const tiles = keys.map((key) => {
    const own = report.labels.length < 2 ? [] : report.labels.filter(({ value }) => `${key}:${value}` in report.metrics)
    const parts = own.map(
      ({ value, name }) => `<span>${escaped(name)} ${numberText(report.metrics[`${key}:${value}`])}</span>`,
    )
    return `<li><b>${numberText(report.metrics[key])}</b><em>${escaped(metricName(key, report.labels))}</em>${parts.join('')}</li>`
  })
  return `<ul class="tiles">${tiles.join('')}</ul>`
}

function meanKeyOf(metric: string): string {
  return Object.entries(meanKeys).find(([name]) => name === metric)?.[1] ?? metric
}

/** Another model's means beside ours, over the cases that both were scored on. */
export function comparisonSection(report: RecipeReport): string {
  return report.comparisons.map((comparison) => comparisonTable(report, comparison)).join('')
}

function comparisonTable(report: RecipeReport, other: ReportComparison): string {
  const keys = TABLED.flatMap((key) => [key, ...report.labels.map(({ value }) => `${key}:${value}`)]).filter(
    (key) => typeof other.metrics[key] === 'number' && typeof other.ours[key] === 'number',
  )
  // Of a single label, its own mean is the mean.
  const wanted = report.labels.length === 1 ? keys.filter((key) => !key.includes(':')) : keys
  const rows = wanted.map((key) => {
    const [ours, theirs] = [other.ours[key] ?? 0, other.metrics[key] ?? 0]
    const difference = ours - theirs
    const better = difference === 0 ? 0 : difference > 0 !== ERRORS.has(key.split(':')[0] ?? key) ? 1 : -1
    const word = better === 0 ? 'the same' : better > 0 ? 'better' : 'worse'
    const text = `${difference > 0 ? '+' : difference < 0 ? '\u2212' : ''}${numberText(Math.abs(difference))} ${word}`
    return `<tr><th scope="row">${escaped(metricName(key, report.labels))}</th><td>${numberText(ours)}</td><td>${numberText(theirs)}</td><td class="${better > 0 ? 'good' : better < 0 ? 'bad' : ''}">${text}</td></tr>`
  })
  const own = [
    report.model.parameters.toLocaleString('en'),
    String(report.history.length),
    durationText(report.machine.seconds),
  ]
  const facts = [other.parameters.toLocaleString('en'), String(other.epochs), durationText(other.seconds)]
  const more = ['Parameters', 'Epochs', 'Training'].map(
    (name, at) =>
      `<tr class="quiet"><th scope="row">${name}</th><td>${own[at]}</td><td>${facts[at]}</td><td></td></tr>`,
  )
  const differences = other.differences.map(
    ({ name, ours, other: theirs }) =>
      `<tr><th scope="row">${escaped(name)}</th><td>${escaped(ours)}</td><td>${escaped(theirs)}</td></tr>`,
  )
  const cases = other.common === 1 ? 'the one case' : `the ${other.common} cases`
  return (
    `<section><h2>Compared with: ${escaped(other.name)}</h2><p class="note">${other.preset === 'article' ? "The article's settings, trained here. " : ''}Means over ${cases} that both models were scored on and neither learned from.</p>` +
    `<div class="scroll"><table><thead><tr><th></th><th>This model</th><th>${escaped(other.name)}</th><th>Difference</th></tr></thead><tbody>${rows.join('')}${more.join('')}</tbody></table></div>` +
    `<details><summary>${differences.length} settings that differ</summary><div class="scroll"><table class="text"><thead><tr><th>Setting</th><th>This model</th><th>${escaped(other.name)}</th></tr></thead><tbody>${differences.join('')}</tbody></table></div></details></section>`
  )
}

interface Column {
  readonly name: string
  readonly value: (scores: CaseScores) => number | null | undefined
}

function columnsOf({ labels, cases }: RecipeReport): Column[] {
  const columns: Column[] = [{ name: 'Pixel accuracy', value: (scores) => scores.pixelAccuracy }]
  for (const measure of ['dice', 'iou', 'hd95', 'assd'] as const) {
    for (const { value } of labels) {
      const name = metricName(labels.length > 1 ? `${measure}:${value}` : measure, labels)
      columns.push({ name, value: (scores) => scores[measure][String(value)] })
    }
  }
  if (cases.some(({ scores }) => scores.instances !== undefined)) {
    columns.push({ name: metricName('ap', labels), value: ({ instances }) => instances?.ap })
    columns.push({ name: 'AP50', value: ({ instances }) => instances?.ap50 })
  }
  if (cases.some(({ scores }) => scores.membranes !== undefined)) {
    columns.push({ name: 'Warping error', value: ({ membranes }) => membranes?.warping })
    columns.push({ name: 'Rand error', value: ({ membranes }) => membranes?.rand })
  }
  return columns
}

/** All scored cases, the worst first; a click on a head sorts where scripts may run. */
export function casesTable(report: RecipeReport): string {
  const columns = columnsOf(report)
  const others = report.comparisons
  const rank = metricName(meanKeyOf(report.recipe.metrics[0] ?? 'dice'), report.labels)
  const heads = ['Case', ...columns.map(({ name }) => name), ...others.map(({ name }) => `${rank}, ${name}`)]
  const rows = report.cases.map(({ scores, shown }) => {
    const id = escaped(scores.id)
    const first = shown === null ? id : `<a href="#${anchor(scores.id)}">${id}</a>`
    const cells = [
      ...columns.map(({ value }) => value(scores)),
      // Ranks of errors are negative, so that larger is better.
      ...others.map(({ ranks }) => absolute(ranks[scores.id])),
    ].map((value) => `<td data-v="${value ?? ''}">${numberText(value)}</td>`)
    return `<tr><th scope="row" data-v="${id}">${first}</th>${cells.join('')}</tr>`
  })
  const head = heads.map((name) => `<th scope="col"><button type="button">${escaped(name)}</button></th>`).join('')
  return `<section><h2>Cases</h2><p class="note">Ranked by ${escaped(inSentence(rank))}, the worst first. All metrics of all cases are in cases.csv.</p><div class="scroll tall"><table class="sortable"><thead><tr>${head}</tr></thead><tbody>${rows.join('')}</tbody></table></div></section>`
}

function absolute(value: number | null | undefined): number | null {
  return typeof value === 'number' ? Math.abs(value) : null
}
