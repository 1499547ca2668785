/** 0 to 255 each. */
export type Colour = readonly [red: number, green: number, blue: number]

/** A picture to draw on, interleaved RGB, rows from the top. */
export interface Canvas {
  readonly width: number
  readonly height: number
  readonly data: Uint8Array<ArrayBuffer>
}

export function newCanvas(width: number, height: number, colour: Colour = [0, 0, 0]): Canvas {
  const data = new Uint8Array(width * height * 3)
  if (colour.some((value) => value !== 0)) for (let i = 0; i < data.length; i += 3) data.set(colour, i)
  return { width, height, data }
}

export function copyOf(canvas: Canvas): Canvas {
  return { ...canvas, data: canvas.data.slice() }
}

/** Brings a pixel, counted from the top left, the share `opacity` of the way to a colour. */
export function blend(canvas: Canvas, pixel: number, colour: Colour, opacity: number): void {
  const at = pixel * 3
  for (let c = 0; c < 3; c++) {
    const before = canvas.data[at + c] ?? 0
    canvas.data[at + c] = Math.round(before + ((colour[c] ?? 0) - before) * opacity)
  }
}

/** Copies a picture onto another, its top left corner at (x, y); what lies outside is cut off. */
export function paste(onto: Canvas, picture: Canvas, x: number, y: number): void {
  const columns = Math.min(picture.width, onto.width - x)
  const rows = Math.min(picture.height, onto.height - y)
  for (let row = 0; row < rows; row++) {
    const from = row * picture.width * 3
    onto.data.set(picture.data.subarray(from, from + columns * 3), ((y + row) * onto.width + x) * 3)
  }
}

/** #rrggbb */
export function colourOf(hex: string): Colour {
  const number = Number.parseInt(hex.slice(1), 16)
  return [number >> 16, (number >> 8) & 255, number & 255]
}
