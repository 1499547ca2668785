import { connectedComponents } from '../voxels/index.ts'
import { isSimple, partsAround } from './simplePoints.ts'

/** What remains different after the truth was warped, each as a share of the picture's pixels. */
export interface WarpingError {
  /** Pixels that split an object of the truth or merge two: the warping error of the ISBI 2012 challenge. */
  readonly splitsAndMergers: number
  /** All pixels (Jain et al.): holes and objects that were added or left out as well. */
  readonly all: number
}

/**
 * Warping error of a picture: how much of the difference cannot be put down to boundaries that lie a little elsewhere.
 * The truth is changed into the prediction pixel by pixel wherever its topology stays as it is (simple points; objects are
 * connected by edges, what is between them also at corners; beyond the picture lies membrane); what then still differs counts.
 *
 * V. Jain et al.: Boundary Learning by Optimization with Topological Constraints, CVPR 2010. The challenge counts splits
 * and mergers alone ("minimum splits and mergers warping error"), at the best of several thresholds; here there is one label map.
 *
 * @param truth,predicted Not 0 inside the cells, 0 on the membranes.
 */
export function warpingError(truth: Uint8Array, predicted: Uint8Array, width: number, height: number): WarpingError {
  const wanted = framed(predicted, width, height)
  const warped = framed(truth, width, height)
  const stride = width + 2
  warp(warped, wanted, stride)
  const objects = connectedComponents(warped, [stride, height + 2], 4).ids
  const seen = new Uint32Array(warped.length)
  let different = 0
  let counted = 0
  for (let i = 0; i < warped.length; i++) {
    if (warped[i] === wanted[i]) continue
    different++
    const topological = warped[i] === 0 ? merges(objects, i, stride) : splits(warped, i, stride, seen, different)
    if (topological) counted++
  }
  const pixels = width * height
  return { splitsAndMergers: counted / pixels, all: different / pixels }
}

/** 0 and 1, with a frame of 0 around, so that every pixel has eight neighbours. */
function framed(mask: Uint8Array, width: number, height: number): Uint8Array {
  const stride = width + 2
  const result = new Uint8Array(stride * (height + 2))
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) if (mask[y * width + x] !== 0) result[(y + 1) * stride + x + 1] = 1
  }
  return result
}

/** Flips what differs and is simple, from the boundaries inwards, until nothing of it is. The frame never differs. */
function warp(warped: Uint8Array, wanted: Uint8Array, stride: number): void {
  const around = aroundOf(stride)
  const waiting = new Uint8Array(warped.length)
  let front: number[] = []
  for (let i = 0; i < warped.length; i++) {
    if (warped[i] === wanted[i]) continue
    front.push(i)
    waiting[i] = 1
  }
  while (front.length > 0) {
    const next: number[] = []
    for (const i of front) {
      waiting[i] = 0
      if (warped[i] === wanted[i] || !isSimple(neighbourhood(warped, i, around))) continue
      warped[i] = wanted[i] ?? 0
      for (const step of around) {
        const j = i + step
        if (warped[j] === wanted[j] || waiting[j] === 1) continue
        waiting[j] = 1
        next.push(j)
      }
    }
    front = next
  }
}

/** Clockwise from the one above, as in simplePoints.ts. */
function aroundOf(stride: number): readonly number[] {
  return [-stride, -stride + 1, 1, stride + 1, stride, stride - 1, -1, -stride - 1]
}

function neighbourhood(mask: Uint8Array, i: number, around: readonly number[]): number {
  let bits = 0
  for (const [at, step] of around.entries()) if (mask[i + step] === 1) bits |= 1 << at
  return bits
}

/** Would pixel `i`, were it not membrane, lie beside two objects? */
function merges(objects: Uint32Array, i: number, stride: number): boolean {
  let beside = 0
  for (const step of [-stride, 1, stride, -1]) {
    const id = objects[i + step] ?? 0
    if (id === 0 || id === beside) continue
    if (beside !== 0) return true
    beside = id
  }
  return false
}

/** Would the object of pixel `i` fall apart without it? `seen` holds numbers of searches, of which `search` is this one. */
function splits(mask: Uint8Array, i: number, stride: number, seen: Uint32Array, search: number): boolean {
  if (partsAround(neighbourhood(mask, i, aroundOf(stride))).inside < 2) return false
  const steps = [-stride, 1, stride, -1]
  const beside = steps.map((step) => i + step).filter((j) => mask[j] === 1)
  const [start] = beside
  if (start === undefined) return false
  seen[i] = search
  seen[start] = search
  const open = [start]
  let missing = beside.length - 1
  for (let j = open.pop(); j !== undefined && missing > 0; j = open.pop()) {
    for (const step of steps) {
      const k = j + step
      if (mask[k] !== 1 || seen[k] === search) continue
      seen[k] = search
      if (beside.includes(k)) missing -= 1
      open.push(k)
    }
  }
  return missing > 0
}
