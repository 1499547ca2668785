import type { LossSettings } from '../../../../core/contract/recipes.ts'

export interface Pixels {
  readonly pictures: number
  readonly channels: number
  /** Pixels x channels. */
  readonly logits: Float32Array | Float64Array
  readonly classes: Uint8Array
  readonly weights: Float32Array | null
}

/** The losses of recipes by their formulas, pixel by pixel in double precision, with none of TensorFlow.js. */
export function referenceLoss(settings: LossSettings, given: Pixels): number {
  const { kind, output, crossEntropy, alpha, beta, gamma } = settings
  const { pictures, channels, logits, classes, weights } = given
  const count = classes.length
  const first = output === 'softmax' ? 1 : 0
  const value = (i: number, c: number): number => {
    const x = logits[i * channels + c] ?? NaN
    if (output === 'relu') return Math.max(0, x)
    if (output === 'sigmoid') return 1 / (1 + Math.exp(-x))
    let sum = 0
    for (let k = 0; k < channels; k++) sum += Math.exp((logits[i * channels + k] ?? NaN) - x)
    return 1 / sum
  }
  const ignored = (i: number): boolean => (classes[i] ?? 255) >= channels + (1 - first)
  const isTrue = (i: number, c: number): number => (!ignored(i) && (classes[i] ?? 255) === c + 1 - first ? 1 : 0)

  const mean = (of: (i: number) => number): number => {
    let [sum, all] = [0, 0]
    for (let i = 0; i < count; i++) {
      if (ignored(i)) continue
      const weight = weights?.[i] ?? 1
      sum += weight * of(i)
      all += weight
    }
    return all === 0 ? 0 : sum / all
  }
  const overChannels = (of: (c: number) => number, from = 0): number => {
    let sum = 0
    for (let c = from; c < channels; c++) sum += of(c)
    return sum / (channels - from)
  }
  /** Probability given to what is true, of a channel or of all. */
  const right = (i: number, c: number): number => (isTrue(i, c) === 1 ? value(i, c) : 1 - value(i, c))
  const ofTruth = (i: number): number => value(i, classes[i] ?? 0)
  const pixelwise = (of: (q: number) => number): number =>
    output === 'softmax' ? mean((i) => of(ofTruth(i))) : mean((i) => overChannels((c) => of(right(i, c))))

  const sums = (c: number, from: number, to: number) => {
    let [both, predicted, truth] = [0, 0, 0]
    for (let i = from; i < to; i++) {
      if (ignored(i)) continue
      const p = Math.min(1, value(i, c))
      both += p * isTrue(i, c)
      predicted += p
      truth += isTrue(i, c)
    }
    return { both, predicted, truth }
  }
  const dice = (c: number, from: number, to: number): number => {
    const { both, predicted, truth } = sums(c, from, to)
    return 1 - (2 * both + 1) / (predicted + truth + 1)
  }
  const each = count / pictures
  const byPicture = (c: number): number => {
    let sum = 0
    for (let k = 0; k < pictures; k++) sum += dice(c, k * each, (k + 1) * each)
    return sum / pictures
  }
  const tversky = (c: number): number => {
    const { both, predicted, truth } = sums(c, 0, count)
    return 1 - (both + 1) / (both + alpha * (predicted - both) + beta * (truth - both) + 1)
  }
  switch (kind) {
    case 'cross-entropy':
      return pixelwise((q) => -Math.log(q))
    case 'dice':
      return overChannels(byPicture, first)
    case 'batch-dice':
      return overChannels((c) => dice(c, 0, count), first)
    case 'dice-cross-entropy':
      return crossEntropy * pixelwise((q) => -Math.log(q)) + overChannels((c) => dice(c, 0, count), first)
    case 'picture-dice-cross-entropy':
      return crossEntropy * pixelwise((q) => -Math.log(q)) + overChannels(byPicture, first)
    case 'tversky':
      return overChannels(tversky, first)
    case 'focal':
      return pixelwise((q) => -((1 - q) ** gamma) * Math.log(q))
    case 'focal-tversky':
      return overChannels((c) => Math.max(1e-6, tversky(c)) ** (1 / gamma), first)
    case 'mean-squared-error':
      return mean((i) => overChannels((c) => (value(i, c) - isTrue(i, c)) ** 2))
  }
}
