import { chartSvg } from '../report/drawing/chart.ts'

export interface ChartOrder {
  readonly title: string
  /** What the axes are. */
  readonly x: string
  readonly y: string
  readonly series: readonly {
    readonly name: string
    readonly points: readonly { readonly x: number; readonly y: number }[]
  }[]
}

/**
 * Lines over numbers as SVG, with a dot for each, letters as paths. A series without points is left out of the legend too; points
 * come in any order. Where all x are whole numbers the axis has no others.
 */
export function drawChart({ title, x, y, series }: ChartOrder): string {
  const lines = series.flatMap(({ name, points }) => {
    const ordered = points.map((point) => [point.x, point.y] as const).sort(([a], [b]) => a - b)
    return ordered.length === 0 ? [] : [{ name, points: ordered }]
  })
  const whole = lines.every(({ points }) => points.every(([at]) => Number.isInteger(at)))
  const common = { title, xLabel: x, yLabel: y, whole, dots: true }
  return chartSvg({ ...common, series: lines, bounds: null, mark: null }, true)
}
