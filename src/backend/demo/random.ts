/** A seeded source of random numbers; the same seed gives the same sequence on every machine. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number
  /** Uniform in [low, high). */
  range(low: number, high: number): number
  /** Uniform integer in [low, high], both included. */
  int(low: number, high: number): number
  /** Standard normal, to within the tails of a sum of twelve uniforms. */
  normal(): number
  /** True with the given probability. */
  chance(probability: number): boolean
  /** Uniform 32-bit unsigned integer, for inner loops that need many cheap bits. */
  bits(): number
}

/** sfc32 (Chris Doty-Humphrey, PractRand), seeded through twelve discarded rounds. */
export function createRandom(seed: number): Random {
  let a = 0x9e3779b9 ^ (seed | 0)
  let b = 0x243f6a88 + Math.imul(seed | 0, 0x85ebca6b)
  let c = 0xb7e15162
  let counter = 1
  const bits = (): number => {
    const t = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + t
    c |= 0
    return t >>> 0
  }
  for (let round = 0; round < 12; round++) bits()
  const next = (): number => bits() / 4294967296
  return {
    next,
    bits,
    range: (low, high) => low + (high - low) * next(),
    int: (low, high) => low + Math.floor((high - low + 1) * next()),
    chance: (probability) => next() < probability,
    normal: () => {
      let sum = -6
      for (let i = 0; i < 12; i++) sum += next()
      return sum
    },
  }
}
