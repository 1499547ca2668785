import { Stage } from 'konva/lib/Stage.js'
import type { PartialLayer } from './partialLayer.ts'
import type { Size } from './viewport.ts'

/**
 * A Konva stage as large as its element, in the device pixels of the screen that it is on, whichever that is now. All
 * sizes are CSS pixels.
 */
export class LayeredStage {
  private readonly element: HTMLDivElement
  private readonly stage: Stage
  private readonly layers: readonly PartialLayer[]
  private readonly observer: ResizeObserver
  private readonly disposed = new AbortController()
  private readonly onResize: (before: Size) => void
  private current: Size = { width: 0, height: 0 }

  /** `onResize` is told after the size or the device pixels changed, which cleared the layers: it draws at once. */
  constructor(element: HTMLDivElement, layers: readonly PartialLayer[], onResize: (before: Size) => void) {
    this.element = element
    this.layers = layers
    this.onResize = onResize
    this.stage = new Stage({ container: element, width: 1, height: 1, listening: false })
    for (const { layer } of layers) this.stage.add(layer)
    this.observer = new ResizeObserver(() => {
      this.resize()
    })
  }

  /** Takes the size of the element now and whenever it changes. */
  follow(): void {
    this.observer.observe(this.element)
    this.resize()
    this.followPixelRatio()
  }

  get size(): Size {
    return this.current
  }

  get pixelRatio(): number {
    return globalThis.devicePixelRatio || 1
  }

  invalidate(): void {
    for (const layer of this.layers) layer.invalidate()
  }

  flush(): void {
    for (const layer of this.layers) layer.flush(this.current.width, this.current.height)
  }

  dispose(): void {
    this.disposed.abort()
    this.observer.disconnect()
    this.stage.destroy()
  }

  private resize(): void {
    const width = Math.max(1, this.element.clientWidth)
    const height = Math.max(1, this.element.clientHeight)
    for (const { layer } of this.layers) {
      if (layer.getCanvas().getPixelRatio() !== this.pixelRatio) layer.getCanvas().setPixelRatio(this.pixelRatio)
    }
    const before = this.current
    this.current = { width, height }
    this.stage.size(this.current)
    this.onResize(before)
  }

  /** Another screen, or another zoom of the page, has other device pixels without another size. */
  private followPixelRatio(): void {
    const now = matchMedia(`(resolution: ${globalThis.devicePixelRatio}dppx)`)
    const changed = (): void => {
      this.resize()
      this.followPixelRatio()
    }
    now.addEventListener('change', changed, { once: true, signal: this.disposed.signal })
  }
}
