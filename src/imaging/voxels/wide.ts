import type { Convert } from './layout.ts'

/** What is said to the user then. */
export const ROUNDED = 'Some values are too large to be kept to the last digit; they were rounded.'

/** 64-bit integers as float64, which has all of them up to 2^53. `rounded` is called, once, where there is one beyond. */
export function widen(signed: boolean, littleEndian: boolean, rounded: () => void): Convert {
  let told = false
  return (raw, out) => {
    if (!littleEndian) Buffer.from(raw.buffer, raw.byteOffset, raw.length).swap64()
    const words = new Uint32Array(raw.buffer, raw.byteOffset, raw.length / 4)
    const values = new Float64Array(out.buffer, out.byteOffset, out.length / 8)
    let exact = true
    for (let i = 0; i < values.length; i++) {
      const low = words[2 * i] ?? 0
      const high = words[2 * i + 1] ?? 0
      const value = (signed ? high | 0 : high) * 2 ** 32 + low
      if (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER) exact = false
      values[i] = value
    }
    if (exact || told) return
    told = true
    rounded()
  }
}
