/**
 * Where a network is to learn the border class of objects (height x width, 1 there): the outermost `border` pixels of each
 * object, and background that lies between two objects closer than 2 x `border` pixels to each other. Two objects that touch are
 * so parted by 2 x `border` pixels; what is left within is what seeds are found in.
 *
 * @param ids Numbers of objects, 0 none, x fastest.
 */
export function borderOf(ids: Uint32Array, width: number, height: number, border: number): Uint8Array {
  const out = new Uint8Array(ids.length)
  const reach = Math.max(1, Math.round(border))
  const around = disk(reach)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * width + x
      const own = ids[at] ?? 0
      let first = own
      for (const [dx, dy] of around) {
        const [u, v] = [x + dx, y + dy]
        // Beyond the picture an object goes on.
        if (u < 0 || v < 0 || u >= width || v >= height) continue
        const other = ids[v * width + u] ?? 0
        if (own !== 0 ? other !== own : other !== 0 && first !== 0 && other !== first) {
          out[at] = 1
          break
        }
        if (own === 0 && other !== 0) first = other
      }
    }
  }
  return out
}

/** Steps to the pixels whose centres lie at most `radius` away, but for the pixel itself, near ones first. */
function disk(radius: number): [number, number][] {
  const steps: [number, number][] = []
  for (let dy = -radius; dy <= radius; dy++) {
    for (let dx = -radius; dx <= radius; dx++) {
      if ((dx !== 0 || dy !== 0) && dx * dx + dy * dy <= radius * radius) steps.push([dx, dy])
    }
  }
  return steps.sort(([a, b], [c, d]) => a * a + b * b - c * c - d * d)
}
