/** Objects from files of their own, in one picture. */
export interface MergedObjects {
  /** Numbers from 1 on, in the order of the files; 0 where none is. */
  readonly ids: Uint32Array
  /** Pixels that more than one file claims. */
  readonly overlap: number
  /** Files whose object lies beneath others altogether, or is empty, by their places in the order. */
  readonly hidden: readonly number[]
}

/**
 * Puts objects into one picture. Where several overlap the smallest takes the pixel: a small nucleus upon a large one stays
 * whole, and of two that touch neither is cut in half by the order of the files. Of equally large ones the later.
 *
 * @param pixels Of each object, the indices of its pixels.
 */
export function mergeObjects(pixels: readonly Uint32Array[], voxels: number): MergedObjects {
  const ids = new Uint32Array(voxels)
  const order = pixels.map((_, n) => n).sort((a, b) => (pixels[b]?.length ?? 0) - (pixels[a]?.length ?? 0) || a - b)
  const shown = new Uint32Array(pixels.length + 1)
  let overlap = 0
  const twice = new Uint8Array(voxels)
  for (const n of order) {
    for (const at of pixels[n] ?? []) {
      const before = ids[at] ?? 0
      if (before !== 0) {
        shown[before] = (shown[before] ?? 0) - 1
        if (twice[at] === 0) overlap++
        twice[at] = 1
      }
      ids[at] = n + 1
      shown[n + 1] = (shown[n + 1] ?? 0) + 1
    }
  }
  return { ids, overlap, hidden: pixels.map((_, n) => n).filter((n) => shown[n + 1] === 0) }
}

/** Indices of what is not 0. Most of a mask of one object is 0, which is passed over four at a time. */
export function indicesOf(mask: Uint8Array | Uint16Array | Uint32Array): Uint32Array {
  const indices: number[] = []
  const perWord = 4 / mask.BYTES_PER_ELEMENT
  const whole = mask.byteOffset % 4 === 0 ? Math.floor(mask.length / perWord) : 0
  const words = new Uint32Array(mask.buffer, whole === 0 ? 0 : mask.byteOffset, whole)
  for (let word = 0; word < whole; word++) {
    if (words[word] === 0) continue
    for (let i = word * perWord; i < (word + 1) * perWord; i++) if (mask[i] !== 0) indices.push(i)
  }
  for (let i = whole * perWord; i < mask.length; i++) if (mask[i] !== 0) indices.push(i)
  return Uint32Array.from(indices)
}
