import type { CaseScores } from '../core/contract/recipes.ts'

/** What labels are called; those that are not among them go by their numbers. */
export type LabelNames = readonly { readonly value: number; readonly name: string }[]

interface TableOptions {
  readonly names?: LabelNames
  /** Characters that a line may have for names to stand in the header; else they stand above, beside their numbers. */
  readonly width?: number
  /** Cases shown. */
  readonly most?: number
}

/** The scores of cases in columns under a header, worst mean Dice first. */
export function scoreTable(
  cases: readonly CaseScores[],
  { names = [], width = 120, most = Infinity }: TableOptions = {},
): string[] {
  const worst = [...cases].sort((a, b) => meanDice(a) - meanDice(b)).slice(0, most)
  const labels = Object.keys(worst[0]?.dice ?? {})
  const named = tableOf(worst, labels, (label) => nameOf(label, names) ?? label)
  if ((named[0]?.length ?? 0) <= width) return named
  const legend = labels.flatMap((label) => {
    const name = nameOf(label, names)
    return name === null ? [] : [`${label} ${name}`]
  })
  return [...(legend.length === 0 ? [] : [legend.join(', ')]), ...tableOf(worst, labels, (label) => label)]
}

function tableOf(
  cases: readonly CaseScores[],
  labels: readonly string[],
  titleOf: (label: string) => string,
): string[] {
  const objects = cases.some(({ instances }) => instances !== undefined)
  const membranes = cases.some(({ membranes: scores }) => scores !== undefined)
  const head = [
    'case',
    'accuracy',
    ...labels.map(titleOf).flatMap((title) => [`Dice ${title}`, `IoU ${title}`, `HD95 ${title}`]),
    ...(objects ? ['AP', 'AP50'] : []),
    ...(membranes ? ['warping', 'Rand'] : []),
  ]
  const rows = cases.map((each) => [
    each.id,
    decimals(each.pixelAccuracy),
    ...labels.flatMap((label) => [decimals(each.dice[label]), decimals(each.iou[label]), decimals(each.hd95[label])]),
    ...(objects ? [decimals(each.instances?.ap), decimals(each.instances?.ap50)] : []),
    ...(membranes ? [decimals(each.membranes?.warping, 6), decimals(each.membranes?.rand)] : []),
  ])
  return columns([head, ...rows])
}

const MEASURES = [
  ['Dice', 'dice'],
  ['IoU', 'iou'],
  ['sensitivity', 'sensitivity'],
  ['specificity', 'specificity'],
  ['HD', 'hd'],
  ['HD95', 'hd95'],
  ['ASSD', 'assd'],
  ['volume difference', 'volumeDifference'],
] as const
const SINGLE = [
  ['accuracy', 'accuracy'],
  ['mean IoU with background', 'meanIou'],
  ['AP', 'ap'],
  ['AP50', 'ap50'],
  ['warping error', 'warping'],
  ['Rand error', 'rand'],
] as const

/** What meanScores gives: one line of the measures without label, then a row for each label. */
export function meansTable(means: Readonly<Record<string, number | null>>, names: LabelNames = []): string[] {
  const labels = Object.keys(means).flatMap((key) => /^dice:(\d+)$/.exec(key)?.[1] ?? [])
  const single = SINGLE.filter(([, key]) => means[key] !== undefined)
  const line = single.map(([name, key]) => `${name} ${decimals(means[key], key === 'warping' ? 6 : 4)}`).join(', ')
  const row = (title: string, end: string): string[] => [
    title,
    ...MEASURES.map(([, key]) => decimals(means[key + end])),
  ]
  const rows = [
    ...labels.map((label) => row([label, nameOf(label, names) ?? ''].join(' ').trim(), `:${label}`)),
    ...(labels.length > 1 ? [row('mean', '')] : []),
  ]
  const left = means.undefinedDistances ?? 0
  return [
    line,
    ...columns([['label', ...MEASURES.map(([name]) => name)], ...rows]),
    ...(left > 0 ? [`distances without ${left} where only one of truth and prediction has the label`] : []),
  ]
}

function nameOf(label: string, names: LabelNames): string | null {
  return names.find(({ value }) => String(value) === label)?.name ?? null
}

/** The first column to the left, the others to the right. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  '),
  )
}

function meanDice({ dice }: CaseScores): number {
  const values = Object.values(dice)
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
}

function decimals(value: number | null | undefined, digits = 4): string {
  return value === null || value === undefined ? '-' : value.toFixed(digits)
}
