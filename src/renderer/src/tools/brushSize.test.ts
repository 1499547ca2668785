import { describe, it, expect } from 'vitest'
import { planeView } from '../canvas/testing/views.ts'
import { brushRadii, clampBrushRadius, nextBrushRadius } from './brushSize.ts'

describe('brush size', () => {
  it('grows in larger steps as it gets larger, and comes back the same way', () => {
    const up: number[] = [0.5]
    while ((up.at(-1) ?? 60) < 60) up.push(nextBrushRadius(up.at(-1) ?? 60, 1))
    expect(up.slice(0, 3)).toEqual([0.5, 1, 1.5])
    expect(up).toContain(5)
    expect(up).toContain(12)
    expect(up.length).toBeLessThan(40)
    const down: number[] = [60]
    while ((down.at(-1) ?? 0) > 0.5) down.push(nextBrushRadius(down.at(-1) ?? 0, -1))
    expect(down.reverse()).toEqual(up)
  })

  it('stays inside its limits', () => {
    expect(nextBrushRadius(60, 1)).toBe(60)
    expect(nextBrushRadius(0.5, -1)).toBe(0.5)
    expect([clampBrushRadius(-3), clampBrushRadius(1000), clampBrushRadius(NaN)]).toEqual([0.5, 60, 0.5])
  })

  it('is a disk in millimetres', () => {
    const coronal = planeView({ columnSpacing: 0.5, rowSpacing: 2 })
    expect(brushRadii(coronal, 8)).toEqual({ x: 8, y: 2 })
    expect(brushRadii(coronal, 1)).toEqual({ x: 1, y: 0.5 })
  })
})
