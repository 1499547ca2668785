/**
 * A picture to try networks with, the same every time: numbers from 0 to 1, channels one after the other
 * (channels x height x width), in patches of several sizes with noise on them, so that there is something to tell apart.
 */
export function samplePicture(channels: number, width: number, height: number): Float32Array<ArrayBuffer> {
  const noise = generator(0x5eed)
  const picture = new Float32Array(channels * width * height)
  for (let c = 0, at = 0; c < channels; c++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++, at++) {
        const coarse = hash(x >> 5, y >> 5, c)
        const fine = hash(x >> 3, y >> 3, c + 7)
        picture[at] = 0.5 * coarse + 0.3 * fine + 0.2 * noise()
      }
    }
  }
  return picture
}

/** At most `count` of the values, spread evenly. */
export function someOf(values: Float32Array, count: number): number[] {
  const most = Math.min(count, values.length)
  return Array.from({ length: most }, (_, i) => values[Math.floor((i * values.length) / most)] ?? 0)
}

function hash(x: number, y: number, c: number): number {
  return generator(Math.imul(x + 1, 73_856_093) ^ Math.imul(y + 1, 19_349_663) ^ Math.imul(c + 1, 83_492_791))()
}

/** Mulberry32, by Tommy Ettinger. */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
