/** A stream of numbers in [0, 1), the same for the same seed on every machine. */
export type Random = () => number

/** mulberry32 (Tommy Ettinger, public domain): 32 bits of state, good enough for sampling and augmentation. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** A whole number in [0, n). */
export function randomInt(random: Random, n: number): number {
  return Math.min(n - 1, Math.floor(random() * n))
}

export function randomBetween(random: Random, low: number, high: number): number {
  return low + (high - low) * random()
}

/** Standard normal, by the Box-Muller transform. */
export function randomNormal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}
