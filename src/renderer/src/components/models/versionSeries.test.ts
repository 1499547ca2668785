import { describe, expect, it } from 'vitest'
import { aTimelinePoint } from '../../testing/learning.ts'
import { curvePosition, versionCurve } from './versionSeries.ts'

const points = [
  aTimelinePoint({ modelId: 'a', version: 1, correctedSlices: 0, holdoutDice: 0.7, holdoutId: 'h' }),
  aTimelinePoint({
    modelId: 'b',
    version: 2,
    correctedSlices: 10,
    trainingSeconds: 30,
    holdoutDice: 0.8,
    holdoutId: 'h',
  }),
  aTimelinePoint({ modelId: 'c', version: 3, correctedSlices: 12, used: false, holdoutDice: 0.75, holdoutId: 'h' }),
  aTimelinePoint({ modelId: 'd', version: 4, correctedSlices: 14, holdoutDice: null, loss: 0.2 }),
  aTimelinePoint({ modelId: 'e', version: 5, correctedSlices: 20, holdoutDice: 0.9, holdoutId: 'other', loss: 0.1 }),
]
const parents: Record<string, string> = { b: 'a', c: 'b', d: 'b', e: 'd' }
const parentOf = (id: string) => parents[id] ?? null

describe('curves over versions', () => {
  it('lead from what a version goes on from, and not on from what was kept aside', () => {
    const { dots, links } = versionCurve(points.slice(0, 4), parentOf, 'holdoutDice', 'slices')
    expect(dots.map(({ modelId, x, y, used }) => [modelId, x, y, used])).toEqual([
      ['a', 0, 0.7, true],
      ['b', 10, 0.8, true],
      ['c', 12, 0.75, false],
    ])
    expect(links.map(({ from, to }) => from.modelId + to.modelId)).toEqual(['ab', 'bc'])
  })

  it('do not join scores on different hold-outs', () => {
    const { dots, links } = versionCurve(points, parentOf, 'holdoutDice', 'slices')
    expect(dots.map(({ modelId }) => modelId)).toEqual(['a', 'b', 'c', 'e'])
    expect(links.map(({ from, to }) => from.modelId + to.modelId)).toEqual(['ab', 'bc'])
    expect(versionCurve(points, parentOf, 'loss', 'slices').links.map(({ from, to }) => from.x + to.x)).toEqual([34])
  })

  it('pass over an ancestor that has no number', () => {
    const alike = points.map((point) => ({ ...point, holdoutId: 'h' }))
    const { links } = versionCurve(alike, parentOf, 'holdoutDice', 'slices')
    expect(links.map(({ from, to }) => from.modelId + to.modelId)).toEqual(['ab', 'bc', 'be'])
  })

  it('leave out what is not a number', () => {
    const broken = [aTimelinePoint({ loss: Number.NaN }), aTimelinePoint({ modelId: 'b', loss: 0.5 })]
    expect(versionCurve(broken, () => null, 'loss', 'seconds').dots.map(({ modelId }) => modelId)).toEqual(['b'])
  })

  it('lie against slices, seconds of training or the date', () => {
    const point = aTimelinePoint({ correctedSlices: 7, trainingSeconds: 95, createdAt: '1970-01-01T00:00:02Z' })
    expect(curvePosition(point, 'slices')).toBe(7)
    expect(curvePosition(point, 'seconds')).toBe(95)
    expect(curvePosition(point, 'date')).toBe(2000)
  })
})
