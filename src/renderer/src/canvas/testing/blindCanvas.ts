import { vi } from 'vitest'

/** Gives canvases a context that draws nothing, where there is no browser; undone by vi.restoreAllMocks(). */
export function blindCanvas(): void {
  const answers: Record<string, unknown> = {
    getImageData: () => ({ data: new Uint8ClampedArray(4) }),
    measureText: () => ({ width: 0 }),
  }
  const context = new Proxy(answers, {
    get: (known, name) => (typeof name === 'string' && name in known ? known[name] : () => undefined),
    set: () => true,
  })
  vi.spyOn(HTMLCanvasElement.prototype, 'getContext').mockReturnValue(context as unknown as RenderingContext & null)
}
