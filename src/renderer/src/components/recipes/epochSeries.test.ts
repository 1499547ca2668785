import { describe, expect, it } from 'vitest'
import { anEpoch, someScores } from '../../testing/recipes.ts'
import { bestEpoch, lossSeries, scoreSeries } from './epochSeries.ts'
import { formatMetric, isBetter, orderedMetrics, scoreColumns } from './metrics.ts'

const labels = [
  { value: 1, name: 'Cytoplasm', color: '#e69f00' },
  { value: 2, name: 'Nucleus', color: '#56b4e9' },
]

describe('the lines of a chart', () => {
  it('are the mean, then each label in its colour, told apart without colour too', () => {
    const lines = scoreSeries([anEpoch(1), anEpoch(2)], labels)
    expect(lines.map(({ name }) => name)).toEqual(['Dice', 'Dice Cytoplasm', 'Dice Nucleus', 'Pixel accuracy'])
    expect(lines[1]?.color).toBe('#e69f00')
    expect(new Set(lines.map(({ dash }) => dash)).size).toBe(lines.length)
    expect(lines[0]?.values).toEqual([expect.closeTo(0.81), expect.closeTo(0.82)])
  })

  it('say one label once', () => {
    const epochs = [anEpoch(1, { val: { dice: 0.5, 'dice:1': 0.5 } })]
    expect(scoreSeries(epochs, labels.slice(0, 1)).map(({ key }) => key)).toEqual(['dice'])
  })

  it('leave out a validation that there is none of', () => {
    expect(lossSeries([anEpoch(1, { valLoss: null })]).map(({ key }) => key)).toEqual(['train'])
    expect(lossSeries([anEpoch(1)]).map(({ key }) => key)).toEqual(['validation', 'train'])
  })

  it('know the best epoch, the first where several are', () => {
    const epochs = [0.7, 0.9, 0.9].map((dice, at) => anEpoch(at + 1, { val: { dice } }))
    expect(bestEpoch(epochs)).toEqual({ epoch: 2, value: 0.9, key: 'dice' })
    expect(bestEpoch([anEpoch(1, { val: {} })])).toBeNull()
  })
})

describe('measures', () => {
  it('stand in the order of the recipe, by the names that scores have', () => {
    const metrics = { dice: 0.8, 'dice:1': 0.8, ap: 0.4, ap50: 0.7, accuracy: 0.9, hd95: 2 }
    expect(orderedMetrics(metrics, ['average-precision', 'dice'], 1)).toEqual([
      'ap',
      'dice',
      'accuracy',
      'ap50',
      'hd95',
    ])
    expect(orderedMetrics({ dice: 0.8, 'dice:1': 0.7, 'dice:2': 0.9 }, ['dice'], 2)).toEqual([
      'dice',
      'dice:1',
      'dice:2',
    ])
  })

  it('are written so that they can be compared', () => {
    expect(formatMetric('dice', 0.91234)).toBe('0.912')
    expect(formatMetric('hd95:1', 1.234, 'mm')).toBe('1.23 mm')
    expect(formatMetric('warping', 0.00035)).toBe('3.5e-4')
    expect(formatMetric('dice:2', 0.00035)).toBe('0.000')
    expect(formatMetric('hd95', null, 'mm')).toBe('–')
    expect(isBetter('hd95:2', 1, 2)).toBe(true)
    expect(isBetter('dice:2', 0.8, 0.9)).toBe(false)
  })

  it('become columns of what the cases have', () => {
    const cases = [someScores('a', 0.8), { ...someScores('b', 0.9), membranes: { warping: 0.01, rand: 0.02 } }]
    const columns = scoreColumns(cases, ['warping-error', 'dice'], labels)
    expect(columns.slice(0, 3).map(({ key }) => key)).toEqual(['warping', 'dice:1', 'dice:2'])
    expect(columns.map(({ key }) => key)).not.toContain('ap')
    expect(cases.map((scores) => columns[0]?.of(scores))).toEqual([null, 0.01])
  })
})
