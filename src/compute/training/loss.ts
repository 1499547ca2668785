import { IGNORED } from '../data/trainingImage.ts'

export interface LossResult {
  /** Weighted mean cross-entropy plus one minus the mean soft Dice of the labels that occur. */
  readonly loss: number
  /** d loss / d logits, of the logits' size; the same buffer each time when one was given. */
  readonly gradient: Float32Array
}

/** Keeps soft Dice defined, and calm, where a label has few pixels. */
const SMOOTH = 1

/**
 * Softmax cross-entropy plus soft Dice (Milletari et al. 2016, doi 10.1109/3DV.2016.79, in the form with plain sums in
 * the denominator), value and gradient in one pass over the pixels instead of some twenty tensor operations.
 * `logits` holds pixels x classCount, `classes` one class a pixel; pixels of class IGNORED count for nothing. Dice is
 * taken over all pixels together and averaged over the labels (not background) that occur among them.
 */
export function segmentationLoss(
  logits: Float32Array,
  classes: Uint8Array,
  classCount: number,
  gradient = new Float32Array(logits.length),
): LossResult {
  const sums = softmaxInto(logits, classes, classCount, gradient)
  const { pixels, crossEntropy, predicted, truth, overlap, weights } = sums
  if (pixels === 0) return { loss: 0, gradient: gradient.fill(0) }
  const occurring = [...truth.keys()].filter((c) => c > 0 && (truth[c] ?? 0) > 0)
  // Of 1 - Dice by a probability of class c: ofHit where the pixel belongs to c, ofMiss elsewhere.
  const ofMiss = new Float64Array(classCount)
  const ofHit = new Float64Array(classCount)
  let dice = 0
  for (const c of occurring) {
    const denominator = (predicted[c] ?? 0) + (truth[c] ?? 0) + SMOOTH
    const value = (2 * (overlap[c] ?? 0) + SMOOTH) / denominator
    dice += value / occurring.length
    ofMiss[c] = value / denominator / occurring.length
    ofHit[c] = (value - 2) / denominator / occurring.length
  }
  logitGradient(gradient, classes, classCount, weights, ofHit, ofMiss)
  return { loss: crossEntropy + (occurring.length > 0 ? 1 - dice : 0), gradient }
}

/**
 * Weight of a pixel in the cross-entropy by its class, so that organs of few pixels are not outvoted by background
 * for hundreds of steps: inverse to the square root of the class's share, scaled so that all weights add up to 1.
 */
function pixelWeights(classes: Uint8Array, n: number): Float64Array {
  const counts = new Float64Array(n)
  for (const value of classes) if (value !== IGNORED) counts[value] = (counts[value] ?? 0) + 1
  const total = counts.reduce((sum, count) => sum + Math.sqrt(count), 0)
  return counts.map((count) => (count === 0 ? 0 : 1 / (Math.sqrt(count) * total)))
}

interface Sums {
  readonly weights: Float64Array
  pixels: number
  crossEntropy: number
  readonly predicted: Float64Array
  readonly truth: Float64Array
  readonly overlap: Float64Array
}

/** Writes the probabilities into `out` (zero where ignored) and adds up what the loss needs. */
function softmaxInto(logits: Float32Array, classes: Uint8Array, n: number, out: Float32Array): Sums {
  const predicted = new Float64Array(n)
  const truth = new Float64Array(n)
  const overlap = new Float64Array(n)
  const weights = pixelWeights(classes, n)
  let pixels = 0
  let crossEntropy = 0
  for (let i = 0; i < classes.length; i++) {
    const target = classes[i] ?? IGNORED
    const at = i * n
    if (target === IGNORED) {
      out.fill(0, at, at + n)
      continue
    }
    let top = logits[at] ?? 0
    for (let c = 1; c < n; c++) top = Math.max(top, logits[at + c] ?? 0)
    let sum = 0
    for (let c = 0; c < n; c++) {
      const e = Math.exp((logits[at + c] ?? 0) - top)
      out[at + c] = e
      sum += e
    }
    for (let c = 0; c < n; c++) {
      const p = (out[at + c] ?? 0) / sum
      out[at + c] = p
      predicted[c] = (predicted[c] ?? 0) + p
    }
    pixels++
    truth[target] = (truth[target] ?? 0) + 1
    overlap[target] = (overlap[target] ?? 0) + (out[at + target] ?? 0)
    crossEntropy += (weights[target] ?? 0) * (Math.log(sum) - ((logits[at + target] ?? 0) - top))
  }
  return { pixels, crossEntropy, predicted, truth, overlap, weights }
}

/** Turns probabilities into the gradient by the logits, in place: p_k (a_k - sum_j p_j a_j) + (p_k - [k = t]) / n. */
function logitGradient(
  probabilities: Float32Array,
  classes: Uint8Array,
  n: number,
  weights: Float64Array,
  ofHit: Float64Array,
  ofMiss: Float64Array,
): void {
  for (let i = 0; i < classes.length; i++) {
    const target = classes[i] ?? IGNORED
    if (target === IGNORED) continue
    const at = i * n
    const weight = weights[target] ?? 0
    let mean = 0
    for (let c = 0; c < n; c++) {
      mean += (probabilities[at + c] ?? 0) * ((c === target ? ofHit[c] : ofMiss[c]) ?? 0)
    }
    for (let c = 0; c < n; c++) {
      const p = probabilities[at + c] ?? 0
      const a = (c === target ? ofHit[c] : ofMiss[c]) ?? 0
      probabilities[at + c] = p * (a - mean) + (p - (c === target ? 1 : 0)) * weight
    }
  }
}
