import { formatLoss } from '../../i18n/format.ts'
import { recipeWords as words } from '../../i18n/recipes.ts'

/** One line of a chart over epochs; told from the others by colour and by dashes. */
export interface EpochSeries {
  readonly key: string
  readonly name: string
  readonly color: string
  readonly dash: string
  readonly thick: boolean
  /** One an epoch; null where there is none. */
  readonly values: readonly (number | null)[]
  readonly format: (value: number) => string
}

/** What is drawn of one epoch: of a training that runs, and of one in a report. */
export interface ChartedEpoch {
  readonly epoch: number
  readonly loss: number
  readonly valLoss: number | null
  readonly val: Readonly<Record<string, number | null>>
}

interface ChartedLabel {
  readonly value: number
  readonly name: string
  readonly color?: string | undefined
}

const dashes = ['', '6 3', '2 3', '8 3 2 3', '4 4', '1 3']
/** More lines than that cannot be told apart. */
const mostSeries = 6
/** Shares that say how good a prediction is, in the order in which they are drawn. */
const sharesDrawn = ['dice', 'iou', 'accuracy', 'ap']

/** A share with three decimals, as tables of results have it. */
export function formatScore(value: number): string {
  return value.toFixed(3)
}

/** Loss on what is learned from, and on the validation cases where there are some. */
export function lossSeries(epochs: readonly ChartedEpoch[]): EpochSeries[] {
  const train: EpochSeries = {
    key: 'train',
    name: words.train.charts.train,
    color: 'var(--text-2)',
    dash: '5 3',
    thick: false,
    values: epochs.map(({ loss }) => loss),
    format: formatLoss,
  }
  if (epochs.every(({ valLoss }) => valLoss === null)) return [train]
  const validation: EpochSeries = {
    key: 'validation',
    name: words.train.charts.validation,
    color: 'var(--text-1)',
    dash: '',
    thick: true,
    values: epochs.map(({ valLoss }) => valLoss),
    format: formatLoss,
  }
  return [validation, train]
}

/**
 * The measures on the validation cases: the mean Dice first, then that of each label in its colour, then others, as many as
 * can be told apart.
 */
export function scoreSeries(epochs: readonly ChartedEpoch[], labels: readonly ChartedLabel[]): EpochSeries[] {
  const keys = [...new Set(epochs.flatMap(({ val }) => Object.keys(val)))]
  const several = labels.length > 1
  const wanted = sharesDrawn.flatMap((name) => [
    ...keys.filter((key) => key === name),
    // Of one label the mean says the same.
    ...(name === 'dice' && (several || !keys.includes('dice')) ? keys.filter((key) => key.startsWith('dice:')) : []),
  ])
  return wanted.slice(0, mostSeries).map((key, at) => {
    const value = key.split(':')[1]
    const color = value === undefined ? undefined : labels.find((label) => String(label.value) === value)?.color
    return {
      key,
      name: words.metric(key, labels),
      color: color ?? (at === 0 ? 'var(--text-1)' : 'var(--text-2)'),
      dash: dashes[at % dashes.length] ?? '',
      thick: at === 0,
      values: epochs.map(({ val }) => val[key] ?? null),
      format: formatScore,
    }
  })
}

/** The epoch in which the first of the scores was best; null where there is none. */
export function bestEpoch(epochs: readonly ChartedEpoch[]): { epoch: number; value: number; key: string } | null {
  const key = sharesDrawn.find((name) => epochs.some(({ val }) => typeof val[name] === 'number'))
  if (key === undefined) return null
  let best: { epoch: number; value: number; key: string } | null = null
  for (const { epoch, val } of epochs) {
    const value = val[key]
    if (typeof value === 'number' && (best === null || value > best.value)) best = { epoch, value, key }
  }
  return best
}
