import { channelValues } from './meaning.ts'
import type { OutputMeaning } from './meaning.ts'

/** Below this, a class beside the likeliest one changes nothing that a byte could tell. */
const UNHEARD = 16
/** Entries of the tables for a difference of 1: by the nearest one a class is off by a tenth of a byte's step at most. */
const FINE = 512

/** Of a class that lies i / FINE below the likeliest one: exp z, and - z exp z. */
const powers = Float32Array.from({ length: UNHEARD * FINE + 1 }, (_, i) => Math.exp(-i / FINE))
const weights = powers.map((power, i) => (power * i) / FINE)

/** Entries of the logarithm for a difference of 1; between two of them a straight line is near enough. */
const STEPS = 64

/**
 * How unsure a pixel is whose `count` classes exclude each other: 0 sure to 255 all classes equally likely, Shannon's entropy of
 * softmax as a share of its maximum, within a byte's step. Takes values of the network before softmax, class after class from
 * `at`, and the largest of them. With z the values less that, and S the sum of exp z: log S - (sum of z exp z) / S. From tables:
 * every pixel of a volume asks, and exponentials of its own would take a third as long as the network.
 */
export function doubtOfLogits(count: number): (values: Float32Array, at: number, top: number) => number {
  const scale = 255 / Math.log(Math.max(2, count))
  /** Of 1 + i / STEPS, scaled. */
  const logarithms = Float32Array.from({ length: count * STEPS + 2 }, (_, i) => scale * Math.log1p(i / STEPS))
  return (values, at, top) => {
    let sum = 0
    let weighted = 0
    for (let i = at; i < at + count; i++) {
      const less = top - (values[i] ?? 0)
      if (less >= UNHEARD) continue
      const place = (less * FINE + 0.5) | 0
      sum += powers[place] ?? 0
      weighted += weights[place] ?? 0
    }
    const place = (sum - 1) * STEPS
    const below = place | 0
    const from = logarithms[below] ?? 0
    const logarithm = from + (place - below) * ((logarithms[below + 1] ?? 0) - from)
    return Math.min(255, (logarithm + (scale * weighted) / sum + 0.5) | 0)
  }
}

/** Entries of -p log p for 1: a straight line between two of them is off by less than 1e-4. */
const SHARES = 4096
const parts = Float32Array.from({ length: SHARES + 2 }, (_, i) =>
  i === 0 || i >= SHARES ? 0 : (-i / SHARES) * Math.log(i / SHARES),
)

/** `entropyOf` to a byte, 0 sure to 255, of probabilities class by class. From a table, as above. */
export function doubtOfShares(folded: Float32Array, pixels: number, meaning: OutputMeaning): Uint8Array<ArrayBuffer> {
  const { exclusive } = meaning
  const classes = channelValues(meaning).length
  const doubt = new Uint8Array(pixels)
  const scale = 255 / Math.log(Math.max(2, exclusive ? classes : 2))
  for (let i = 0; i < pixels; i++) {
    let found = 0
    for (let c = 0, at = i; c < classes; c++, at += pixels) {
      const share = Math.min(1, Math.max(0, folded[at] ?? 0))
      const own = partOf(share)
      found = exclusive ? found + own : Math.max(found, own + partOf(1 - share))
    }
    doubt[i] = Math.min(255, Math.round(scale * found))
  }
  return doubt
}

function partOf(share: number): number {
  const place = share * SHARES
  const below = place | 0
  const from = parts[below] ?? 0
  return from + (place - below) * ((parts[below + 1] ?? 0) - from)
}
