import { describe, it, expect } from 'vitest'
import { WheelReader, type WheelInput } from './wheel.ts'

const turn = (deltaY: number, more: Partial<WheelInput> = {}): WheelInput => ({
  deltaX: 0,
  deltaY,
  deltaMode: 0,
  ctrl: false,
  shift: false,
  ...more,
})
const volume = { tool: 'brush', slices: true } as const

describe('WheelReader', () => {
  it('goes one slice a notch, whatever a notch is', () => {
    const reader = new WheelReader()
    for (const delta of [100, 120, 53, 240])
      expect(reader.read(turn(delta), volume)).toEqual({ kind: 'slice', steps: 1 })
    expect(reader.read(turn(-100), volume)).toEqual({ kind: 'slice', steps: -1 })
    expect(reader.read(turn(3, { deltaMode: 1 }), volume)).toEqual({ kind: 'slice', steps: 1 })
  })

  it('adds up the small steps of a touchpad and starts anew when they turn', () => {
    const reader = new WheelReader()
    expect([12, 12, 12, 12, 12].map((delta) => reader.read(turn(delta), volume))).toEqual([
      null,
      null,
      { kind: 'slice', steps: 1 },
      null,
      { kind: 'slice', steps: 1 },
    ])
    expect(reader.read(turn(20), volume)).toBeNull()
    expect(reader.read(turn(-20), volume)).toBeNull()
    expect(reader.read(turn(-20), volume)).toEqual({ kind: 'slice', steps: -1 })
  })

  it('zooms with Ctrl, with the zoom tool, and on an image without slices', () => {
    const reader = new WheelReader()
    const expected = { kind: 'zoom', factor: 2 ** (1 / 3) }
    expect(reader.read(turn(-100, { ctrl: true }), volume)).toEqual(expected)
    expect(reader.read(turn(-100), { tool: 'zoom', slices: true })).toEqual(expected)
    expect(reader.read(turn(-100), { tool: 'brush', slices: false })).toEqual(expected)
  })

  it('changes the brush with Shift, which browsers turn into a sideways wheel', () => {
    const reader = new WheelReader()
    const sideways = { deltaX: -100, deltaY: 0, deltaMode: 0, ctrl: false, shift: true }
    expect(reader.read(sideways, volume)).toEqual({ kind: 'brush', direction: 1 })
    expect(reader.read(sideways, { tool: 'pan', slices: true })).toEqual({ kind: 'slice', steps: -1 })
  })
})
