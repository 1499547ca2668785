import type { Label } from '../contract/schemas.ts'

/**
 * Colours for labels, in the order in which they are given out: Okabe and Ito (2008), then Paul Tol's "muted" scheme
 * (personal.sron.nl/~pault). Both stay apart for the common kinds of colour blindness; black and grey are left out,
 * since they cannot be told from tissue.
 */
export const labelPalette: readonly string[] = [
  '#e69f00',
  '#56b4e9',
  '#009e73',
  '#f0e442',
  '#d55e00',
  '#cc79a7',
  '#0072b2',
  '#44aa99',
  '#cc6677',
  '#ddcc77',
  '#aa4499',
  '#88ccee',
  '#999933',
  '#882255',
  '#117733',
  '#6f5fd0',
]

/** The next free colour of the palette; when all are taken, the colour furthest from those in use. */
export function nextLabelColor(existing: readonly Pick<Label, 'color'>[]): string {
  const taken = new Set(existing.map((label) => label.color.toLowerCase()))
  const free = labelPalette.find((color) => !taken.has(color))
  if (free !== undefined) return free
  const inUse = [...taken].map(channels)
  let best = '#ffffff'
  let bestDistance = -1
  for (const color of candidates()) {
    const distance = Math.min(...inUse.map((used) => squaredDistance(used, channels(color))))
    if (distance > bestDistance) {
      best = color
      bestDistance = distance
    }
  }
  return best
}

function channels(color: string): [number, number, number] {
  return [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16)) as [number, number, number]
}

/** "Redmean" weighting, a cheap stand-in for perceived colour difference (compuphase.com/cmetric.htm). */
function squaredDistance(a: [number, number, number], b: [number, number, number]): number {
  const mean = (a[0] + b[0]) / 2
  const [dr, dg, db] = [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
  return (2 + mean / 256) * dr * dr + 4 * dg * dg + (2 + (255 - mean) / 256) * db * db
}

/** Saturated and pale colours around the wheel, at two lightnesses. */
function* candidates(): Generator<string> {
  for (const lightness of [0.6, 0.75, 0.45]) {
    for (let hue = 0; hue < 360; hue += 6) yield fromHsl(hue, 0.7, lightness)
  }
}

function fromHsl(hue: number, saturation: number, lightness: number): string {
  const amplitude = saturation * Math.min(lightness, 1 - lightness)
  const channel = (n: number): string => {
    const k = (n + hue / 30) % 12
    const value = lightness - amplitude * Math.max(-1, Math.min(k - 3, 9 - k, 1))
    return Math.round(value * 255)
      .toString(16)
      .padStart(2, '0')
  }
  return `#${channel(0)}${channel(8)}${channel(4)}`
}
