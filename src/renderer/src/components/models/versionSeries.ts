import type { TimelinePoint } from '../../../../core/contract/index.ts'

export type CurveAxis = 'slices' | 'seconds' | 'date'
/** The numbers of a point that can be drawn. */
export type CurveValue = 'holdoutDice' | 'correctionDiceBefore' | 'correctionDiceAfter' | 'loss'

export interface CurveDot {
  readonly modelId: string
  readonly x: number
  readonly y: number
  readonly used: boolean
}
export interface CurveLink {
  readonly from: CurveDot
  readonly to: CurveDot
}

export function curvePosition(point: TimelinePoint, axis: CurveAxis): number {
  if (axis === 'slices') return point.correctedSlices
  return axis === 'seconds' ? point.trainingSeconds : Date.parse(point.createdAt)
}

/**
 * One curve: a dot for each version that has the number, and a line from what a version goes on from. Where an ancestor has no
 * number the next one that has is taken. Scores on different hold-outs are not joined.
 */
export function versionCurve(
  points: readonly TimelinePoint[],
  parentOf: (modelId: string) => string | null,
  value: CurveValue,
  axis: CurveAxis,
): { dots: CurveDot[]; links: CurveLink[] } {
  const byId = new Map(points.map((point) => [point.modelId, point]))
  const dots = new Map<string, CurveDot>()
  for (const point of points) {
    const y = point[value]
    const x = curvePosition(point, axis)
    if (y === null || !Number.isFinite(y) || !Number.isFinite(x)) continue
    dots.set(point.modelId, { modelId: point.modelId, x, y, used: point.used })
  }
  const links: CurveLink[] = []
  for (const to of dots.values()) {
    let at = parentOf(to.modelId)
    while (at !== null && !dots.has(at)) at = parentOf(at)
    const from = at === null ? undefined : dots.get(at)
    if (from === undefined || at === null) continue
    if (value === 'holdoutDice' && byId.get(at)?.holdoutId !== byId.get(to.modelId)?.holdoutId) continue
    links.push({ from, to })
  }
  return { dots: [...dots.values()], links }
}
