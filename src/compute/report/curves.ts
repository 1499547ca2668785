import { metricName } from './words.ts'
import type { HistoryEpoch } from '../../core/contract/report.ts'
import type { Chart, Series } from './drawing/chart.ts'
import type { LabelNames } from './words.ts'

/** Loss over epochs, of what is learned from and of the validation part. */
export function lossChart(history: readonly HistoryEpoch[], bestEpoch: number | null): Chart {
  const loss: Series = { name: 'Training', points: history.map(({ epoch, loss: value }) => [epoch, value]) }
  const validation: Series = {
    name: 'Validation',
    points: history.flatMap(({ epoch, valLoss }) => (valLoss === null ? [] : [[epoch, valLoss] as const])),
  }
  return {
    title: 'Loss',
    xLabel: 'Epoch',
    series: [loss, validation].filter(({ points }) => points.length > 0),
    bounds: null,
    mark: markOf(bestEpoch, history),
  }
}

/** Lines more than this could not be told apart. */
const MOST_LINES = 6

/**
 * Dice on the validation part over epochs: the mean, and each label's where there are several. Without Dice, whatever else
 * was measured between 0 and 1. null where nothing was.
 */
export function diceChart(
  history: readonly HistoryEpoch[],
  bestEpoch: number | null,
  labels: LabelNames,
): Chart | null {
  const keys = [...new Set(history.flatMap(({ val }) => Object.keys(val)))]
  const dice = keys.filter((key) => key === 'dice' || key.startsWith('dice:'))
  const wanted = dice.length > 0 ? (labels.length > 1 ? dice : dice.slice(0, 1)) : keys
  const series = wanted
    .map((key): Series => ({
      name: key === 'dice' && wanted.length > 1 ? 'Dice, mean' : metricName(key, labels),
      points: history.flatMap(({ epoch, val }) => {
        const value = val[key]
        return typeof value === 'number' && value >= 0 && value <= 1 ? [[epoch, value] as const] : []
      }),
    }))
    .filter(({ points }) => points.length > 0)
    .slice(0, MOST_LINES)
  if (series.length === 0) return null
  const lowest = Math.min(...series.flatMap(({ points }) => points.map(([, y]) => y)))
  return {
    title: dice.length > 0 ? 'Dice on the validation part' : 'On the validation part',
    xLabel: 'Epoch',
    series,
    bounds: [Math.max(0, Math.floor(lowest * 10 - 0.2) / 10), 1],
    mark: markOf(bestEpoch, history),
  }
}

function markOf(bestEpoch: number | null, history: readonly HistoryEpoch[]): Chart['mark'] {
  // 0: the weights from before the first epoch, which no curve shows.
  return bestEpoch === null || bestEpoch === 0 || history.length < 2
    ? null
    : { x: bestEpoch, text: `kept: epoch ${bestEpoch}` }
}
