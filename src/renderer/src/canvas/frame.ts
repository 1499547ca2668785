/** What a browser offers to run code before the next repaint. */
export interface FrameClock {
  request(callback: () => void): number
  cancel(handle: number): void
}

export const browserFrames: FrameClock = {
  request: (callback) => requestAnimationFrame(callback),
  cancel: (handle) => {
    cancelAnimationFrame(handle)
  },
}

/**
 * At most one draw a frame, and the first at once: a pointer event that finds nothing drawn in this frame is painted
 * inside its own handler, those after it wait for the frame.
 */
export class FrameScheduler {
  private handle: number | null = null
  private wanted = false
  private held = 0
  private urgentWhileHeld = false
  private readonly draw: () => void
  private readonly clock: FrameClock

  constructor(draw: () => void, clock: FrameClock = browserFrames) {
    this.draw = draw
    this.clock = clock
  }

  /** Draw before the next repaint. */
  request(): void {
    this.wanted = true
    this.handle ??= this.clock.request(() => {
      this.handle = null
      if (this.wanted) this.flush()
    })
  }

  /** Draw now if nothing was drawn since the last frame, else before the next repaint. */
  urgent(): void {
    if (this.held > 0) {
      this.urgentWhileHeld = true
      return
    }
    if (this.handle !== null) {
      this.wanted = true
      return
    }
    this.flush()
    this.handle = this.clock.request(() => {
      this.handle = null
      if (this.wanted) this.flush()
    })
  }

  /** Everything that `change` asks for is drawn together, after it. */
  together(change: () => void): void {
    this.held++
    try {
      change()
    } finally {
      this.held--
      if (this.held === 0 && this.urgentWhileHeld) {
        this.urgentWhileHeld = false
        this.urgent()
      }
    }
  }

  dispose(): void {
    if (this.handle !== null) this.clock.cancel(this.handle)
    this.handle = null
    this.wanted = false
  }

  private flush(): void {
    this.wanted = false
    this.draw()
  }
}
