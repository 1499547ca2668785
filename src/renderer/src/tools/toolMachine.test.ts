import { describe, it, expect } from 'vitest'
import type { DisplayWindow } from '../canvas/windowLevel.ts'
import { draggedWindow, effectiveTool, ToolMachine, type ToolId } from './toolMachine.ts'

const at = (x: number, y = 0) => ({ x, y })

function harness(tool: ToolId, accepts = true) {
  const log: string[] = []
  let window: DisplayWindow = { center: 40, width: 400 }
  const host = {
    tool,
    get window() {
      return window
    },
    beginStroke(erase: boolean, point: { x: number; y: number }) {
      log.push(`${erase ? 'erase' : 'paint'} ${point.x}`)
      return accepts
    },
    extendStroke: (points: readonly { x: number }[]) => void log.push(`to ${points.map(({ x }) => x).join(' ')}`),
    finishStroke: () => void log.push('finish'),
    revertStroke: () => void log.push('revert'),
    panBy: (dx: number, dy: number) => void log.push(`pan ${dx} ${dy}`),
    zoomBy: (factor: number, anchor: { x: number }) => void log.push(`zoom ${factor} at ${anchor.x}`),
    setWindow: (next: DisplayWindow) => {
      window = next
      log.push('window')
    },
  }
  return { machine: new ToolMachine(host), host, log, window: () => window }
}

describe('effectiveTool', () => {
  it('switches while keys or other buttons are held', () => {
    const free = { alt: false, space: false }
    expect(effectiveTool('brush', free)).toBe('brush')
    expect(effectiveTool('brush', { alt: true, space: false })).toBe('eraser')
    expect(effectiveTool('brush', { alt: true, space: true })).toBe('pan')
    expect(effectiveTool('brush', free, 1)).toBe('pan')
    expect(effectiveTool('brush', free, 2)).toBe('window')
    expect(effectiveTool('zoom', { alt: true, space: false })).toBe('zoom')
  })
})

describe('drawing', () => {
  it('goes from pointing over drawing back to pointing', () => {
    const { machine, log } = harness('brush')
    expect(machine.state.name).toBe('idle')
    machine.move([at(1)], 0)
    expect(machine.state.name).toBe('pointing')
    machine.down(at(2), 0, 0)
    machine.move([at(3), at(4), at(9)], 0)
    expect(machine.state).toEqual({ name: 'drawing', at: at(9), erase: false })
    machine.up()
    expect(machine.state.name).toBe('pointing')
    expect(log).toEqual(['paint 2', 'to 3 4 9', 'finish'])
  })

  it('keeps the tool it began with while modifiers change', () => {
    const { machine, log } = harness('brush')
    machine.setModifiers({ alt: true, space: false })
    expect(machine.tool).toBe('eraser')
    machine.down(at(2), 0, 0)
    machine.setModifiers({ alt: false, space: true })
    machine.move([at(5)], 0)
    expect(machine.tool).toBe('eraser')
    machine.up()
    expect(machine.tool).toBe('pan')
    expect(log).toEqual(['erase 2', 'to 5', 'finish'])
  })

  it('does not draw where the host refuses', () => {
    const { machine, log } = harness('brush', false)
    machine.down(at(2), 0, 0)
    machine.move([at(3)], 0)
    machine.up()
    expect(log).toEqual(['paint 2'])
    expect(machine.state.name).toBe('pointing')
  })

  it('is reverted by Escape, once', () => {
    const { machine, log } = harness('eraser')
    machine.down(at(2), 0, 0)
    expect(machine.escape()).toBe(true)
    expect(machine.escape()).toBe(false)
    machine.move([at(3)], 0)
    machine.up()
    expect(log).toEqual(['erase 2', 'revert'])
  })

  it('is finished, not lost, when the pointer is taken away', () => {
    const { machine, log } = harness('brush')
    machine.setModifiers({ alt: true, space: false })
    machine.down(at(2), 0, 0)
    machine.lose()
    expect(log).toEqual(['erase 2', 'finish'])
    expect(machine.state.name).toBe('idle')
    expect(machine.modifiers).toEqual({ alt: false, space: false })
  })

  it('ignores a second button and the pointer leaving', () => {
    const { machine, log } = harness('brush')
    machine.down(at(2), 0, 0)
    machine.down(at(2), 2, 0)
    machine.leave()
    expect(machine.state.name).toBe('drawing')
    expect(log).toEqual(['paint 2'])
  })
})

describe('other gestures', () => {
  it('pan by the way the pointer went', () => {
    const { machine, log } = harness('brush')
    machine.down(at(10, 10), 1, 0)
    machine.move([at(13, 6)], 0)
    machine.move([at(14, 6)], 0)
    machine.up()
    expect(log).toEqual(['pan 3 -4', 'pan 1 0'])
  })

  it('drag the window from where it was, and Escape puts it back', () => {
    const { machine, window } = harness('brush')
    machine.down(at(100, 100), 2, 0)
    machine.move([at(180, 100)], 0)
    machine.move([at(260, 132)], 0)
    // 160 pixels to the right double the width; 32 of 160 down move the level by a tenth of the old width.
    expect(window()).toEqual({ center: 80, width: 800 })
    machine.escape()
    expect(window()).toEqual({ center: 40, width: 400 })
  })

  it('zoom by dragging, or by a click', () => {
    const { machine, log } = harness('zoom')
    machine.down(at(50, 100), 0, 0)
    machine.move([at(50, 98)], 0)
    machine.up()
    expect(log).toEqual(['zoom 1.5 at 50'])
    log.length = 0
    machine.down(at(50, 200), 0, 0)
    machine.move([at(50, 40)], 0)
    machine.up()
    expect(log).toEqual(['zoom 2 at 50'])
  })

  it('never give a window without width', () => {
    expect(draggedWindow({ center: 0, width: 1 }, -1e6, 0).width).toBeGreaterThan(0)
  })
})
