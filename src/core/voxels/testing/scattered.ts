/** Voxels that are 1 with the given probability, 0 otherwise; the same for the same seed (mulberry32). */
export function scattered(dims: readonly number[], seed: number, share: number): Uint8Array {
  return scatteredValues(dims, seed, [1 - share, share])
}

/** Values 0, 1, 2 …, each with its probability; the probabilities add up to 1. */
export function scatteredValues(dims: readonly number[], seed: number, shares: readonly number[]): Uint8Array {
  const values = new Uint8Array(dims.reduce((product, size) => product * size, 1))
  let state = seed >>> 0
  for (let i = 0; i < values.length; i++) {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    let left = ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
    let value = 0
    while (value < shares.length - 1 && left >= (shares[value] ?? 0)) {
      left -= shares[value] ?? 0
      value += 1
    }
    values[i] = value
  }
  return values
}
