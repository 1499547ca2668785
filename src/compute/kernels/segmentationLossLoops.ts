/**
 * The loss of segmentation over plain arrays: softmax cross-entropy plus soft Dice (Milletari et al. 2016, doi
 * 10.1109/3DV.2016.79, in the form with plain sums in the denominator), value and gradient together.
 *
 * With p = softmax(logits) by pixel, t = 1 at the pixel's class and 0 elsewhere, and n_c pixels of class c, all sums over
 * the pixels whose class is one of the c (any other class, as IGNORED, counts for nothing):
 *
 *     cross-entropy = - sum_c w_c sum_(pixels of class c) log p_c,   w_c = 1 / (sqrt(n_c) sum_k sqrt(n_k))
 *     dice_c        = (2 sum p_c t_c + 1) / (sum p_c + n_c + 1)
 *     loss          = cross-entropy + 1 - mean of dice_c over the labels (c > 0) with n_c > 0
 *
 * The weights w add up to 1 over the pixels; they keep organs of few pixels from being outvoted by background for
 * hundreds of steps. Where no pixel counts, loss and gradient are 0; where no label occurs, the loss is the
 * cross-entropy alone. Dice is taken over all pixels of a batch together.
 */

/** Keeps soft Dice defined, and calm, where a label has few pixels. */
const SMOOTH = 1

/** What the pixels add up to, by class; one entry a class each. */
export interface LossSums {
  /** Pixels of the class. */
  readonly truth: Float64Array
  /** Sum of the class's probability over all pixels that count. */
  readonly predicted: Float64Array
  /** Sum of the class's probability over the pixels of the class. */
  readonly overlap: Float64Array
  /** Sum of -log of the class's probability over the pixels of the class. */
  readonly surprise: Float64Array
}

/** The loss, and what its gradient needs besides the probabilities; one entry a class each. */
export interface LossTerms {
  readonly loss: number
  /** w_c; 0 for a class that does not occur. */
  readonly weights: Float64Array
  /** d loss / d p_c by way of dice_c, at pixels of class c and at others. */
  readonly ofHit: Float64Array
  readonly ofMiss: Float64Array
}

export function emptySums(classCount: number): LossSums {
  const zeros = () => new Float64Array(classCount)
  return { truth: zeros(), predicted: zeros(), overlap: zeros(), surprise: zeros() }
}

export function lossTerms({ truth, predicted, overlap, surprise }: LossSums): LossTerms {
  const classCount = truth.length
  const total = truth.reduce((sum, count) => sum + Math.sqrt(count), 0)
  const weights = truth.map((count) => (count === 0 ? 0 : 1 / (Math.sqrt(count) * total)))
  const labels = truth.reduce((n, count, c) => n + Number(c > 0 && count > 0), 0)
  const ofHit = new Float64Array(classCount)
  const ofMiss = new Float64Array(classCount)
  let loss = labels > 0 ? 1 : 0
  for (let c = 0; c < classCount; c++) {
    const count = truth[c] ?? 0
    loss += (weights[c] ?? 0) * (surprise[c] ?? 0)
    if (c === 0 || count === 0) continue
    const denominator = (predicted[c] ?? 0) + count + SMOOTH
    const dice = (2 * (overlap[c] ?? 0) + SMOOTH) / denominator
    loss -= dice / labels
    ofMiss[c] = dice / denominator / labels
    ofHit[c] = (dice - 2) / denominator / labels
  }
  return { loss, weights, ofHit, ofMiss }
}

/**
 * Adds the pixels of `logits` (pixels x classes) to `sums`; `classes` has one class a pixel. Writes the probabilities to
 * `probabilities`, which may be `logits` itself; zeros where a pixel does not count.
 */
export function addPixels(
  logits: Float32Array,
  classes: Int32Array,
  { truth, predicted, overlap, surprise }: LossSums,
  probabilities: Float32Array,
): void {
  const n = truth.length
  for (let i = 0; i < classes.length; i++) {
    const target = classes[i] ?? -1
    const at = i * n
    if (target < 0 || target >= n) {
      probabilities.fill(0, at, at + n)
      continue
    }
    let top = logits[at] ?? 0
    for (let c = 1; c < n; c++) top = Math.max(top, logits[at + c] ?? 0)
    const own = (logits[at + target] ?? 0) - top
    let sum = 0
    for (let c = 0; c < n; c++) {
      const e = Math.exp((logits[at + c] ?? 0) - top)
      probabilities[at + c] = e
      sum += e
    }
    for (let c = 0; c < n; c++) {
      const p = (probabilities[at + c] ?? 0) / sum
      probabilities[at + c] = p
      predicted[c] = (predicted[c] ?? 0) + p
    }
    truth[target] = (truth[target] ?? 0) + 1
    overlap[target] = (overlap[target] ?? 0) + (probabilities[at + target] ?? 0)
    surprise[target] = (surprise[target] ?? 0) + Math.log(sum) - own
  }
}

/**
 * Turns probabilities into d loss / d logits, in place: p_k (a_k - sum_j p_j a_j) + w_t (p_k - t_k), where a_c is ofHit or
 * ofMiss.
 */
export function toGradient(
  probabilities: Float32Array,
  classes: Int32Array,
  { weights, ofHit, ofMiss }: LossTerms,
): void {
  const n = weights.length
  for (let i = 0; i < classes.length; i++) {
    const target = classes[i] ?? -1
    if (target < 0 || target >= n) continue
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

/** Writes d loss / d logits to `gradient` and returns the loss. `logits` holds pixels x classCount values. */
export function lossAndGradient(
  logits: Float32Array,
  classes: Int32Array,
  classCount: number,
  gradient: Float32Array,
): number {
  const sums = emptySums(classCount)
  addPixels(logits, classes, sums, gradient)
  const terms = lossTerms(sums)
  toGradient(gradient, classes, terms)
  return terms.loss
}
