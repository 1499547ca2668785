/** The smallest multiple of `step` that is at least `size`. */
export function roundUp(size: number, step: number): number {
  return Math.ceil(size / step) * step
}

/** Maps any whole number to [0, n) by mirroring at the ends without repeating the border: -1 -> 1, n -> n - 2. */
export function mirrorIndex(i: number, n: number): number {
  if (n === 1) return 0
  const period = 2 * (n - 1)
  const inside = ((i % period) + period) % period
  return inside < n ? inside : period - inside
}

/** Where an image was taken from: the pixel (0, 0) of the part lies at (left, top) of the whole. */
export interface Window2D {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

/**
 * Copies a window of an image (height x width, x fastest) into `out` from `offset` on; the window may reach beyond the
 * image, which then continues as its mirror image, so that the network sees no artificial edge.
 */
export function copyMirrored(
  image: Float32Array,
  width: number,
  height: number,
  window: Window2D,
  out: Float32Array,
  offset = 0,
): void {
  const columns = Int32Array.from({ length: window.width }, (_, x) => mirrorIndex(window.left + x, width))
  for (let y = 0; y < window.height; y++) {
    const from = mirrorIndex(window.top + y, height) * width
    const to = offset + y * window.width
    for (let x = 0; x < window.width; x++) out[to + x] = image[from + (columns[x] ?? 0)] ?? 0
  }
}
