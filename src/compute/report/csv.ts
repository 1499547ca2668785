import type { RecipeReport } from '../../core/contract/report.ts'

const BY_LABEL = ['dice', 'iou', 'sensitivity', 'specificity', 'hd', 'hd95', 'assd', 'volumeDifference'] as const

/**
 * The metrics of each scored case as RFC 4180 CSV, the worst first: a column a metric and label (`dice:1`), full precision,
 * empty where it is not defined.
 */
export function casesCsv({ cases, labels }: Pick<RecipeReport, 'cases' | 'labels'>): string {
  const instances = cases.some(({ scores }) => scores.instances !== undefined)
  const membranes = cases.some(({ scores }) => scores.membranes !== undefined)
  const head = [
    'id',
    'part',
    'accuracy',
    'meanIou',
    ...BY_LABEL.flatMap((metric) => labels.map(({ value }) => `${metric}:${value}`)),
    ...(instances ? ['ap', 'ap50', 'tp', 'fp', 'fn'] : []),
    ...(membranes ? ['warping', 'rand'] : []),
  ]
  const rows = cases.map(({ part, scores }) => [
    cell(scores.id),
    part,
    scores.pixelAccuracy,
    scores.meanIou,
    ...BY_LABEL.flatMap((metric) => labels.map(({ value }) => scores[metric][String(value)])),
    ...(instances ? (['ap', 'ap50', 'tp', 'fp', 'fn'] as const).map((key) => scores.instances?.[key]) : []),
    ...(membranes ? (['warping', 'rand'] as const).map((key) => scores.membranes?.[key]) : []),
  ])
  return [head, ...rows].map((row) => `${row.map((value) => value ?? '').join(',')}\r\n`).join('')
}

/** Quoted where it must be; what a spreadsheet would take for a formula begins with an apostrophe. */
function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
