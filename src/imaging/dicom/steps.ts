import type { Affine, Vec3 } from '../../core/contract/schemas.ts'
import { dot, type FrameHeader, type Orientation } from './frames.ts'

export interface Steps {
  /** From slice to slice. */
  readonly step: Vec3
  readonly warnings: readonly string[]
  readonly gaps: boolean
}

/**
 * Slices that are off their place, or distances that differ from the usual one, by more than this part of it and by more than
 * so many mm are no rounding of what is written in the files.
 */
const UNEVEN = 0.05
const ROUNDING_MM = 0.02

/** The step of a volume's slices, in the order of their places, and what is uneven about it. */
export function stepsOf(volume: readonly FrameHeader[], { normal }: Orientation): Steps {
  const positions = volume.flatMap(({ position }) => (position === null ? [] : [position]))
  const [first, ...others] = positions
  const last = others.at(-1)
  if (first === undefined || last === undefined) {
    const mm = volume[0]?.thickness ?? 1
    return { step: scaled(normal, mm), warnings: [], gaps: false }
  }
  const heights = positions.map((position) => dot(position, normal))
  const distances = heights.slice(1).map((height, i) => height - (heights[i] ?? 0))
  const usual = distances.toSorted((a, b) => a - b)[Math.floor((distances.length - 1) / 2)] ?? 1
  const limit = Math.max(UNEVEN * usual, ROUNDING_MM)
  const [low = 0] = heights
  const mean = ((heights.at(-1) ?? 0) - low) / others.length
  const even = heights.every((height, k) => Math.abs(height - low - k * mean) <= limit)
  const uneven = distances.flatMap((mm, i) => (Math.abs(mm - usual) > limit ? [{ after: i + 1, mm }] : []))
  const whole = minus(last, first)
  // With gaps the slices before the first one stay where they are; those behind it are nearer than they should be.
  const step = scaled(whole, (even ? mean : usual) / dot(whole, normal))
  const aside = Math.hypot(...minus(step, scaled(normal, dot(step, normal))))
  const warnings: string[] = []
  if (aside * others.length > 0.1 && aside > 1e-3 * Math.hypot(...step)) {
    const degrees = (Math.atan2(aside, Math.abs(dot(step, normal))) * 180) / Math.PI
    warnings.push(
      `The slices are shifted against each other (a gantry tilted by ${degrees.toFixed(1)}°): the volume is sheared.`,
    )
  }
  if (!even) warnings.push(gapWarning(uneven, usual))
  const shifted = even ? largestShift(positions, first, step) : 0
  const crooked = shifted > Math.max(0.1, limit)
  if (crooked) {
    warnings.push(`The slices do not lie in one line (up to ${round(shifted)} mm beside it), so places are not exact.`)
  }
  return { step, warnings, gaps: !even || crooked }
}

/** How far a slice lies from where the first one and the step put it, in mm. */
function largestShift(positions: readonly Vec3[], first: Vec3, step: Vec3): number {
  return positions.reduce((most, position, k) => {
    return Math.max(most, Math.hypot(...minus(minus(position, first), scaled(step, k))))
  }, 0)
}

function gapWarning(uneven: readonly { readonly after: number; readonly mm: number }[], usual: number): string {
  const named = uneven.slice(0, 3).map(({ after, mm }) => `${round(mm)} mm between slices ${after} and ${after + 1}`)
  if (named.length === 0) return 'The distances between the slices change, so places and volumes are not exact.'
  const more = uneven.length > 3 ? ` and at ${uneven.length - 3} more places` : ''
  const why = uneven.some(({ mm }) => mm > 1.5 * usual) ? 'slices are missing' : 'they are unevenly spaced'
  return (
    `The slices are ${round(usual)} mm apart, but ${named.join(', ')}${more}: ${why}, ` +
    'so places and volumes beyond are not exact.'
  )
}

function round(mm: number): string {
  return String(Number(mm.toFixed(3)))
}

function minus(a: Vec3, b: Vec3): Vec3 {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

function scaled(a: Vec3, by: number): Vec3 {
  return [a[0] * by, a[1] * by, a[2] * by]
}

/** DICOM's axes point left and to the back, RAS's right and to the front. */
export function affineOf({ position, orientation, spacing }: FrameHeader, step: Vec3): Affine {
  const [dx, dy] = spacing ?? [1, 1]
  const axis = (of: 0 | 1 | 2, sign: 1 | -1): [number, number, number, number] => {
    const value = (vector: Vec3 | undefined, by: number): number => sign * (vector?.[of] ?? 0) * by + 0
    return [
      value(orientation?.row, dx),
      value(orientation?.column, dy),
      sign * step[of] + 0,
      sign * (position?.[of] ?? 0) + 0,
    ]
  }
  return [axis(0, -1), axis(1, -1), axis(2, 1), [0, 0, 0, 1]]
}
