import type { CurvePoint } from '../../../../core/contract/index.ts'

/** The inner rectangle of a chart, in pixels from its top left. */
export interface Frame {
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}
export interface Scale {
  readonly min: number
  readonly max: number
  /** Round numbers from min to max, both included. */
  readonly ticks: readonly number[]
}

/**
 * A scale whose ends and ticks are round numbers (1, 2 or 5 times a power of ten apart), with about `count` ticks, and
 * that contains both given values.
 */
export function niceScale(low: number, high: number, count: number): Scale {
  const span = high > low ? high - low : Math.max(Math.abs(high), 1)
  const rough = span / Math.max(1, count)
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough * 0.999) ?? rough
  const first = Math.floor(low / step + 1e-9)
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9))
  const ticks = Array.from({ length: last - first + 1 }, (_, at) => Number(((first + at) * step).toPrecision(12)))
  return { min: ticks[0] ?? low, max: ticks.at(-1) ?? high, ticks }
}

/** Where a value lies between two pixels; values beyond the scale lie on its edge. */
export function position(value: number, scale: Pick<Scale, 'min' | 'max'>, from: number, to: number): number {
  const share = (value - scale.min) / (scale.max - scale.min)
  return from + Math.min(1, Math.max(0, share)) * (to - from)
}

/** The `d` of a polyline; numbers that are not finite break it. */
export function linePath(points: readonly (readonly [number, number])[]): string {
  let pen = 'M'
  let path = ''
  for (const [x, y] of points) {
    if (!Number.isFinite(x) || !Number.isFinite(y)) {
      pen = 'M'
      continue
    }
    path += `${pen}${x.toFixed(1)} ${y.toFixed(1)}`
    pen = 'L'
  }
  return path
}

/** The point whose step is nearest to the one under a pixel; null for an empty curve. */
export function pointAt(curve: readonly CurvePoint[], pixel: number, steps: Scale, frame: Frame): CurvePoint | null {
  const share = (pixel - frame.left) / (frame.right - frame.left)
  const step = steps.min + share * (steps.max - steps.min)
  let best: CurvePoint | null = null
  for (const point of curve) {
    if (best === null || Math.abs(point.step - step) < Math.abs(best.step - step)) best = point
  }
  return best
}

/** The axis of shares shows at least 0.9 to 1: noise on a flat curve should look flat. */
const shareFloor = 0.9

/** Of the values of a chart: `whole`, of shares, ends at 1; any other begins at 0, or at the lowest below. */
export function valueScale(values: readonly number[], whole: boolean): Scale {
  return niceScale(Math.min(...values, whole ? shareFloor : 0), whole ? 1 : Math.max(1e-6, ...values), 4)
}
