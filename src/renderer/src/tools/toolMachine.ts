import type { Point } from '../canvas/viewport.ts'
import type { DisplayWindow } from '../canvas/windowLevel.ts'

export type ToolId = 'brush' | 'eraser' | 'pan' | 'window' | 'zoom'

export interface Modifiers {
  readonly alt: boolean
  readonly space: boolean
}

/** 0 left, 1 middle, 2 right, as in PointerEvent.button. */
export type Button = number

/** What the tools act on. Points are CSS pixels of the viewer's element. */
export interface ToolHost {
  readonly tool: ToolId
  readonly window: DisplayWindow
  /** Begins a stroke at a point; false when there is nothing to draw on or drawing is refused (the host says why). */
  beginStroke(erase: boolean, point: Point, since: number): boolean
  extendStroke(points: readonly Point[], since: number): void
  /** The stroke is complete: commit it. */
  finishStroke(): void
  /** The stroke never happened. */
  revertStroke(): void
  panBy(dx: number, dy: number): void
  zoomBy(factor: number, anchor: Point): void
  setWindow(window: DisplayWindow): void
}

export type ToolState =
  | { readonly name: 'idle' }
  | { readonly name: 'pointing'; readonly at: Point }
  | { readonly name: 'drawing'; readonly at: Point; readonly erase: boolean }
  | { readonly name: 'panning'; readonly at: Point }
  | { readonly name: 'windowing'; readonly at: Point; readonly from: Point; readonly window: DisplayWindow }
  | {
      readonly name: 'zooming'
      readonly at: Point
      readonly anchor: Point
      readonly moved: boolean
      readonly out: boolean
    }

/** Pixels of drag that double the window's width or the zoom. */
const DRAG_DOUBLES = 160
/** Less movement than this is a click. */
const CLICK_SLOP = 3

/** The tool that a press would use: held keys and other buttons switch it for as long as they are held. */
export function effectiveTool(tool: ToolId, modifiers: Modifiers, button: Button = 0): ToolId {
  if (button === 1 || modifiers.space) return 'pan'
  if (button === 2) return 'window'
  if (modifiers.alt && tool === 'brush') return 'eraser'
  return tool
}

/** The window after a drag: right is wider, down is darker; steps are proportional to the window they began with. */
export function draggedWindow(start: DisplayWindow, dx: number, dy: number): DisplayWindow {
  return {
    center: start.center + (dy / DRAG_DOUBLES / 2) * start.width,
    width: Math.max(1e-6, start.width * 2 ** (dx / DRAG_DOUBLES)),
  }
}

/**
 * What pointer and keys mean: one state at a time, idle (pointer elsewhere), pointing, or one of the gestures. A gesture
 * keeps the tool it began with, whatever keys change meanwhile.
 */
export class ToolMachine {
  private current: ToolState = { name: 'idle' }
  private held: Modifiers = { alt: false, space: false }
  private readonly host: ToolHost

  constructor(host: ToolHost) {
    this.host = host
  }

  get state(): ToolState {
    return this.current
  }

  get modifiers(): Modifiers {
    return this.held
  }

  /** The tool in use, or the one a press of the left button would use. */
  get tool(): ToolId {
    switch (this.current.name) {
      case 'drawing':
        return this.current.erase ? 'eraser' : 'brush'
      case 'panning':
        return 'pan'
      case 'windowing':
        return 'window'
      case 'zooming':
        return 'zoom'
      case 'idle':
      case 'pointing':
        return effectiveTool(this.host.tool, this.held)
    }
  }

  get busy(): boolean {
    return this.current.name !== 'idle' && this.current.name !== 'pointing'
  }

  setModifiers(modifiers: Modifiers): void {
    this.held = modifiers
  }

  down(at: Point, button: Button, since: number): void {
    if (this.busy) return
    const tool = effectiveTool(this.host.tool, this.held, button)
    switch (tool) {
      case 'brush':
      case 'eraser': {
        const erase = tool === 'eraser'
        const begun = this.host.beginStroke(erase, at, since)
        this.current = begun ? { name: 'drawing', at, erase } : { name: 'pointing', at }
        return
      }
      case 'pan':
        this.current = { name: 'panning', at }
        return
      case 'window':
        this.current = { name: 'windowing', at, from: at, window: this.host.window }
        return
      case 'zoom':
        this.current = { name: 'zooming', at, anchor: at, moved: false, out: this.held.alt }
    }
  }

  /** `points` are all positions since the last event, oldest first. */
  move(points: readonly Point[], since: number): void {
    const at = points.at(-1)
    if (!at) return
    const state = this.current
    switch (state.name) {
      case 'idle':
      case 'pointing':
        this.current = { name: 'pointing', at }
        return
      case 'drawing':
        this.host.extendStroke(points, since)
        this.current = { ...state, at }
        return
      case 'panning':
        this.host.panBy(at.x - state.at.x, at.y - state.at.y)
        this.current = { ...state, at }
        return
      case 'windowing':
        this.host.setWindow(draggedWindow(state.window, at.x - state.from.x, at.y - state.from.y))
        this.current = { ...state, at }
        return
      case 'zooming': {
        const moved = state.moved || Math.abs(at.y - state.anchor.y) > CLICK_SLOP
        // Up is nearer, down is farther.
        if (moved) this.host.zoomBy(2 ** ((state.at.y - at.y) / DRAG_DOUBLES), state.anchor)
        this.current = { ...state, at, moved }
      }
    }
  }

  up(): void {
    const state = this.current
    if (state.name === 'drawing') this.host.finishStroke()
    if (state.name === 'zooming' && !state.moved) this.host.zoomBy(state.out ? 1 / 1.5 : 1.5, state.anchor)
    if (state.name !== 'idle') this.current = { name: 'pointing', at: state.at }
  }

  leave(): void {
    if (!this.busy) this.current = { name: 'idle' }
  }

  /** The pointer was taken away (another window, a touch that the system claimed): what was drawn stays. */
  lose(): void {
    if (this.current.name === 'drawing') this.host.finishStroke()
    this.current = { name: 'idle' }
    this.held = { alt: false, space: false }
  }

  /** Escape: takes back the gesture. False when there was none. */
  escape(): boolean {
    const state = this.current
    if (!this.busy || state.name === 'idle') return false
    if (state.name === 'drawing') this.host.revertStroke()
    if (state.name === 'windowing') this.host.setWindow(state.window)
    this.current = { name: 'pointing', at: state.at }
    return true
  }
}
