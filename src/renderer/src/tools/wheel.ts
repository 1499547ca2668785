/** What a turn of the wheel does over the image. */
export type WheelIntent =
  | { readonly kind: 'zoom'; readonly factor: number }
  | { readonly kind: 'slice'; readonly steps: number }
  | { readonly kind: 'brush'; readonly direction: 1 | -1 }

export interface WheelInput {
  readonly deltaX: number
  readonly deltaY: number
  /** As in WheelEvent: 0 pixels, 1 lines, 2 pages. */
  readonly deltaMode: number
  readonly ctrl: boolean
  readonly shift: boolean
}

export interface WheelContext {
  readonly tool: 'brush' | 'eraser' | 'pan' | 'window' | 'zoom'
  /** Are there several slices? Without them the wheel zooms. */
  readonly slices: boolean
}

/** A notch of a mouse wheel is at least this many pixels; touchpads send less, more often. */
const NOTCH = 50
const TOUCHPAD_STEP = 30
const LINE = 40

/**
 * The wheel scrolls slices; with Ctrl (also a pinch on a touchpad), with the zoom tool, or on an image without slices it
 * zooms at the pointer; with Shift it changes the brush size.
 */
export class WheelReader {
  private rest = 0

  read(input: WheelInput, context: WheelContext): WheelIntent | null {
    const unit = input.deltaMode === 0 ? 1 : LINE
    const delta = (Math.abs(input.deltaY) >= Math.abs(input.deltaX) ? input.deltaY : input.deltaX) * unit
    if (delta === 0) return null
    if (input.shift && (context.tool === 'brush' || context.tool === 'eraser')) {
      return { kind: 'brush', direction: delta < 0 ? 1 : -1 }
    }
    if (input.ctrl || context.tool === 'zoom' || !context.slices) {
      const turn = Math.max(-100, Math.min(100, delta))
      return { kind: 'zoom', factor: 2 ** (-turn / 300) }
    }
    const steps = this.steps(delta)
    return steps === 0 ? null : { kind: 'slice', steps }
  }

  private steps(delta: number): number {
    if (Math.abs(delta) >= NOTCH) {
      this.rest = 0
      return Math.sign(delta)
    }
    if (Math.sign(delta) !== Math.sign(this.rest)) this.rest = 0
    this.rest += delta
    const steps = Math.trunc(this.rest / TOUCHPAD_STEP)
    this.rest -= steps * TOUCHPAD_STEP
    return steps
  }
}
