import { squaredDistances } from '../../core/voxels/index.ts'

export interface WeightMapSettings {
  readonly w0: number
  /** Pixels. */
  readonly sigma: number
  /** By class: what balances how often it occurs. */
  readonly classWeights: readonly number[]
}

/** Part of w0 below which the second term is not computed: nothing that single precision holds beside 1. */
const NOTHING = 2 ** -26

/**
 * Loss weights of the U-Net paper (Ronneberger et al. 2015, equation 2), height x width:
 *
 *   w(x) = wc(x) + w0 exp(-(d1(x) + d2(x))^2 / (2 sigma^2))
 *
 * wc balances the classes; d1 and d2 are the distances, in pixels from centre to centre, to the nearest and the second nearest
 * object. The second term is that of background alone, where the gaps are. Distances are exact: each object has a distance
 * transform of its own, as far around it as the term is more than nothing.
 *
 * @param classes 0 background, c > 0 a class, 255 teaches nothing and weighs nothing.
 * @param ids Numbers of objects, 0 none.
 */
export function weightMap(
  classes: Uint8Array,
  ids: Uint32Array,
  width: number,
  height: number,
  { w0, sigma, classWeights }: WeightMapSettings,
): Float32Array {
  const weights = Float32Array.from(classes, (value) => (value === 255 ? 0 : (classWeights[value] ?? 1)))
  if (w0 === 0) return weights
  const { nearest, second } = twoNearest(ids, width, height, sigma * Math.sqrt(-2 * Math.log(NOTHING)))
  for (let i = 0; i < weights.length; i++) {
    const sum = (nearest[i] ?? Infinity) + (second[i] ?? Infinity)
    if (sum === Infinity || ids[i] !== 0 || classes[i] === 255) continue
    weights[i] = (weights[i] ?? 0) + w0 * Math.exp(-(sum * sum) / (2 * sigma * sigma))
  }
  return weights
}

/** Distances to the nearest and second nearest object, Infinity where they are more than `reach`. */
function twoNearest(ids: Uint32Array, width: number, height: number, reach: number) {
  const nearest = new Float64Array(ids.length).fill(Infinity)
  const second = new Float64Array(ids.length).fill(Infinity)
  const margin = Math.ceil(reach)
  for (const [id, box] of boxesOf(ids, width)) {
    const left = Math.max(0, box.left - margin)
    const top = Math.max(0, box.top - margin)
    const columns = Math.min(width, box.right + margin + 1) - left
    const rows = Math.min(height, box.bottom + margin + 1) - top
    const own = new Uint8Array(columns * rows)
    for (let y = 0; y < rows; y++) {
      const from = (top + y) * width + left
      for (let x = 0; x < columns; x++) if (ids[from + x] === id) own[y * columns + x] = 1
    }
    const squared = squaredDistances(own, [columns, rows])
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++) {
        const distance = Math.sqrt(squared[y * columns + x] ?? Infinity)
        const at = (top + y) * width + left + x
        if (distance > reach) continue
        if (distance < (nearest[at] ?? Infinity)) {
          second[at] = nearest[at] ?? Infinity
          nearest[at] = distance
        } else if (distance < (second[at] ?? Infinity)) second[at] = distance
      }
    }
  }
  return { nearest, second }
}

interface Bounds {
  left: number
  top: number
  right: number
  bottom: number
}

function boxesOf(ids: Uint32Array, width: number): Map<number, Bounds> {
  const boxes = new Map<number, Bounds>()
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i] ?? 0
    if (id === 0) continue
    const x = i % width
    const y = (i - x) / width
    const box = boxes.get(id)
    if (box === undefined) boxes.set(id, { left: x, top: y, right: x, bottom: y })
    else {
      box.left = Math.min(box.left, x)
      box.right = Math.max(box.right, x)
      box.bottom = y
    }
  }
  return boxes
}

/**
 * What balances classes: a class that takes the share f of the pixels weighs 1 / (K f), K being how many classes occur, so that the mean
 * weight over all pixels is 1. A class that does not occur weighs 1.
 */
export function balancedWeights(counts: readonly number[]): number[] {
  const total = counts.reduce((sum, count) => sum + count, 0)
  const occurring = counts.filter((count) => count > 0).length
  return counts.map((count) => (count > 0 ? total / (occurring * count) : 1))
}
