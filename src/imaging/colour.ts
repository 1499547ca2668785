/** Interleaved RGB as one channel where red, green and blue are equal in every pixel; null where they are not. */
export function greyIfColourless<T extends Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer>>(rgb: T): T | null {
  for (let i = 0; i < rgb.length; i += 3) {
    if (rgb[i] !== rgb[i + 1] || rgb[i] !== rgb[i + 2]) return null
  }
  const grey = rgb.slice(0, rgb.length / 3) as T
  for (let i = 0; i < grey.length; i++) grey[i] = rgb[3 * i] ?? 0
  return grey
}

/** Brightness of interleaved 8-bit RGB, Rec. 601 weights, rounded. */
export function luminance(rgb: Uint8Array): Uint8Array<ArrayBuffer> {
  const grey = new Uint8Array(rgb.length / 3)
  for (let i = 0; i < grey.length; i++) {
    grey[i] = Math.round(0.299 * (rgb[3 * i] ?? 0) + 0.587 * (rgb[3 * i + 1] ?? 0) + 0.114 * (rgb[3 * i + 2] ?? 0))
  }
  return grey
}
