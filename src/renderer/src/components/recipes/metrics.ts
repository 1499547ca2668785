import type { CaseScores } from '../../../../core/contract/index.ts'
import { meanKeys } from '../../../../core/metrics/index.ts'
import { recipeWords } from '../../i18n/recipes.ts'

/** Recipes name measures as words, scores have them by short names. */
export function scoreName(metric: string): string {
  return Object.entries(meanKeys).find(([name]) => name === metric)?.[1] ?? metric
}

/** What follows those of the recipe, in this order. */
const usualOrder = [
  'dice',
  'iou',
  'accuracy',
  'ap',
  'ap50',
  'hd95',
  'assd',
  'warping',
  'rand',
  'sensitivity',
  'specificity',
]
const distances = new Set(['hd', 'hd95', 'assd'])
const errors = new Set(['warping', 'rand'])
const smallerIsBetter = new Set([...distances, ...errors])

/** The names of means, those of the recipe first; of several labels each follows its mean. */
export function orderedMetrics(
  metrics: Readonly<Record<string, number | null>>,
  first: readonly string[],
  labels: number,
): string[] {
  const keys = Object.keys(metrics)
  const order = [...new Set([...first.map(scoreName), ...usualOrder])]
  const known = order.flatMap((name) => [
    ...keys.filter((key) => key === name),
    // Of one label the mean says the same.
    ...(labels > 1 || !keys.includes(name) ? keys.filter((key) => key.startsWith(`${name}:`)) : []),
  ])
  // With average precision goes what a single threshold says.
  return known
}

/** Three decimals, distances with their unit, small errors so that something is seen of them. */
export function formatMetric(key: string, value: number | null, unit: string | null = null): string {
  if (value === null || !Number.isFinite(value)) return recipeWords.report.empty
  const [name = key] = key.split(':')
  if (distances.has(name)) return unit === null ? value.toFixed(2) : `${value.toFixed(2)} ${unit}`
  if (errors.has(name) && value !== 0 && Math.abs(value) < 0.001) return value.toExponential(1)
  return value.toFixed(3)
}

export function isBetter(key: string, one: number, other: number): boolean {
  const [name = key] = key.split(':')
  return smallerIsBetter.has(name) ? one < other : one > other
}

/** A column of the table of cases. */
export interface ScoreColumn {
  readonly key: string
  readonly of: (scores: CaseScores) => number | null
}

/**
 * The columns of a table of cases: the measures of the recipe first, of several labels one each. Only what some case has.
 */
export function scoreColumns(
  cases: readonly CaseScores[],
  first: readonly string[],
  labels: readonly { value: number }[],
): ScoreColumn[] {
  const order = [...new Set([...first.map(scoreName), ...usualOrder])]
  const columns = order.flatMap((name): ScoreColumn[] => {
    const single = singles[name]
    if (single !== undefined) return [{ key: name, of: single }]
    const byLabel = byLabels[name]
    if (byLabel === undefined) return []
    return labels.map(({ value }) => ({ key: `${name}:${value}`, of: (scores) => byLabel(scores)[value] ?? null }))
  })
  return columns.filter(({ of }) => cases.some((scores) => of(scores) !== null))
}

const singles: Readonly<Record<string, ScoreColumn['of']>> = {
  accuracy: (scores) => scores.pixelAccuracy,
  ap: (scores) => scores.instances?.ap ?? null,
  ap50: (scores) => scores.instances?.ap50 ?? null,
  warping: (scores) => scores.membranes?.warping ?? null,
  rand: (scores) => scores.membranes?.rand ?? null,
}
const byLabels: Readonly<Record<string, (scores: CaseScores) => Readonly<Record<string, number | null>>>> = {
  dice: (scores) => scores.dice,
  iou: (scores) => scores.iou,
  sensitivity: (scores) => scores.sensitivity,
  specificity: (scores) => scores.specificity,
  hd95: (scores) => scores.hd95,
  assd: (scores) => scores.assd,
}
