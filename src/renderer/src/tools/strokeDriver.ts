import type { Axis, StrokeDelta } from '../../../core/contract/schemas.ts'
import type { Rect } from '../../../core/labelmap/index.ts'
import type { Point } from '../canvas/viewport.ts'
import { BrushStroke, type StrokeOptions } from './brushStroke.ts'

/** The slice that a stroke is drawn on, as it is on screen. */
export interface StrokeTarget extends Omit<StrokeOptions, 'label'> {
  readonly axis: Axis
  readonly index: number
  /** The label that the brush paints with. */
  readonly label: number
}

export interface StrokeHost {
  /** Where to draw; null when it is refused, and the host has said why. */
  target(erase: boolean): StrokeTarget | null
  /** What must be done to the slice before it is drawn on (taking over its prediction); null: nothing. Never rejects. */
  prepare(target: StrokeTarget): Promise<void> | null
  /** Pixels of the slice buffer changed, asked for by an event of that time stamp. */
  painted(rect: Rect, since: number): void
  commit(stroke: Omit<StrokeDelta, 'id' | 'baseRevision'>, target: StrokeTarget): void
  /** Is a stroke under way? */
  active(active: boolean): void
}

interface Running {
  readonly target: StrokeTarget
  readonly stroke: BrushStroke
  /** Positions that wait for `prepare`; null once it is done. */
  waiting: Point[] | null
  finished: boolean
}

/**
 * From the first position to the committed change. Where the slice must be prepared first, positions are kept until
 * that is done, and drawn then: nothing that was drawn is lost, also when the pointer is already up.
 */
export class StrokeDriver {
  private readonly host: StrokeHost
  private running: Running | null = null

  constructor(host: StrokeHost) {
    this.host = host
  }

  begin(erase: boolean, point: Point, since: number): boolean {
    if (this.running) return false
    const target = this.host.target(erase)
    if (!target) return false
    const preparing = this.host.prepare(target)
    const running: Running = {
      target,
      stroke: new BrushStroke({ ...target, label: erase ? 0 : target.label }),
      waiting: preparing ? [point] : null,
      finished: false,
    }
    this.running = running
    this.host.active(true)
    if (preparing) void preparing.then(() => this.prepared(running))
    else this.paint(running, [point], since)
    return true
  }

  extend(points: readonly Point[], since: number): void {
    const running = this.running
    if (!running || running.finished) return
    if (running.waiting) running.waiting.push(...points)
    else this.paint(running, points, since)
  }

  finish(): void {
    const running = this.running
    if (!running) return
    running.finished = true
    if (!running.waiting) this.commit(running)
  }

  revert(): void {
    const running = this.running
    if (!running) return
    this.end()
    const rect = running.stroke.revert()
    if (rect) this.host.painted(rect, performance.now())
  }

  private prepared(running: Running): void {
    const points = running.waiting
    running.waiting = null
    if (this.running !== running || !points) return
    this.paint(running, points, performance.now())
    if (running.finished) this.commit(running)
  }

  private paint(running: Running, points: readonly Point[], since: number): void {
    const rect = running.stroke.extend(points)
    if (rect) this.host.painted(rect, since)
  }

  private commit(running: Running): void {
    const stroke = running.stroke.finish(running.target.axis, running.target.index)
    if (stroke) this.host.commit(stroke, running.target)
    this.end()
  }

  private end(): void {
    this.running = null
    this.host.active(false)
  }
}
