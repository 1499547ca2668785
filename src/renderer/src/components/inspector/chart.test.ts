import { describe, expect, it } from 'vitest'
import { linePath, niceScale, pointAt, position, valueScale } from './chart.ts'

describe('niceScale', () => {
  it('ends on round numbers around the values', () => {
    expect(niceScale(0, 0.83, 4)).toEqual({ min: 0, max: 1, ticks: [0, 0.5, 1] })
    expect(niceScale(0, 117, 4).ticks).toEqual([0, 50, 100, 150])
    expect(niceScale(0.62, 0.93, 3).ticks).toEqual([0.6, 0.8, 1])
  })

  it('keeps ticks free of rounding noise', () => {
    expect(niceScale(0, 0.3, 3).ticks).toEqual([0, 0.1, 0.2, 0.3])
  })

  it('gives a usable scale for a single value', () => {
    const scale = niceScale(0, 0, 3)
    expect(scale.max).toBeGreaterThan(scale.min)
    expect(niceScale(2, 2, 2).ticks.every(Number.isFinite)).toBe(true)
  })
})

describe('position', () => {
  it('maps the ends of the scale to the ends of the axis, upside down for y', () => {
    const scale = { min: 0, max: 2 }
    expect(position(0, scale, 100, 10)).toBe(100)
    expect(position(2, scale, 100, 10)).toBe(10)
    expect(position(0.5, scale, 100, 20)).toBe(80)
  })

  it('holds values beyond the scale at its edge', () => {
    expect(position(9, { min: 0, max: 1 }, 0, 50)).toBe(50)
  })
})

describe('linePath', () => {
  it('breaks at numbers that are not finite', () => {
    expect(
      linePath([
        [0, 1],
        [2, 3],
        [4, Number.NaN],
        [6, 7],
      ]),
    ).toBe('M0.0 1.0L2.0 3.0M6.0 7.0')
  })
})

describe('pointAt', () => {
  const frame = { left: 30, right: 130, top: 0, bottom: 50 }
  const steps = { min: 0, max: 10, ticks: [0, 10] }
  const curve = [1, 4, 9].map((step) => ({ step, loss: 1, dice: 0.5 }))

  it('finds the nearest step under the pointer', () => {
    expect(pointAt(curve, 75, steps, frame)?.step).toBe(4)
    expect(pointAt(curve, 30, steps, frame)?.step).toBe(1)
    expect(pointAt(curve, 500, steps, frame)?.step).toBe(9)
  })

  it('finds nothing in an empty curve', () => {
    expect(pointAt([], 50, steps, frame)).toBeNull()
  })
})

it('a scale of shares ends at 1 and looks flat where the curve is; any other begins at 0', () => {
  expect(valueScale([0.97, 0.98], true)).toMatchObject({ min: 0.9, max: 1 })
  expect(valueScale([0.5, 0.98], true).min).toBeLessThanOrEqual(0.5)
  expect(valueScale([2, 4], false)).toMatchObject({ min: 0, max: 4 })
  expect(valueScale([-1, 3], false).min).toBeLessThanOrEqual(-1)
})
