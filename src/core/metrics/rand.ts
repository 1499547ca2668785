import { connectedComponents } from '../voxels/index.ts'

/**
 * Foreground-restricted Rand error of a picture, 0 to 1, as the ISBI 2012 challenge for the segmentation of neuronal structures
 * defines it: 1 - F, F being the harmonic mean of precision and recall over pairs of pixels that lie in one object. Objects
 * are parts that are connected by edges (4 neighbours); pixels outside the true objects are left out, and those of them that
 * were predicted to be outside make one object. (scikit-image: `adapted_rand_error` of the two sets of parts.)
 *
 * @param truth,predicted Not 0 inside the cells, 0 on the membranes.
 * @returns 0 where no two pixels lie in one true or predicted object.
 */
export function randError(truth: Uint8Array, predicted: Uint8Array, width: number, height: number): number {
  const a = connectedComponents(truth, [width, height], 4)
  const b = connectedComponents(predicted, [width, height], 4)
  const both = new Map<number, number>()
  const inTruth = new Float64Array(a.count + 1)
  const inPrediction = new Float64Array(b.count + 1)
  let pixels = 0
  for (let i = 0; i < truth.length; i++) {
    const t = a.ids[i] ?? 0
    if (t === 0) continue
    const p = b.ids[i] ?? 0
    const key = t * (b.count + 1) + p
    both.set(key, (both.get(key) ?? 0) + 1)
    inTruth[t] = (inTruth[t] ?? 0) + 1
    inPrediction[p] = (inPrediction[p] ?? 0) + 1
    pixels++
  }
  const pairs = (counts: Iterable<number>): number => {
    let sum = 0
    for (const count of counts) sum += count * count
    return sum - pixels
  }
  const all = pairs(inTruth) + pairs(inPrediction)
  return all === 0 ? 0 : 1 - (2 * pairs(both.values())) / all
}
