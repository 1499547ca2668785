/**
 * The loss of segmentation by its definition (kernels/segmentationLossLoops.ts), in double precision and as plainly as
 * can be: what tests compare with. `logits` holds pixels x n values; classes beyond 0..n-1 count for nothing.
 */
export function lossReference(logits: Float64Array, classes: readonly number[], n: number): number {
  const kept = classes.flatMap((target, i) => (target >= 0 && target < n ? [{ target, i }] : []))
  if (kept.length === 0) return 0
  const probabilities = kept.map(({ i }) => {
    const row = Array.from({ length: n }, (_, c) => logits[i * n + c] ?? NaN)
    const powers = row.map((value) => Math.exp(value - Math.max(...row)))
    const sum = powers.reduce((a, b) => a + b)
    return powers.map((power) => power / sum)
  })
  const crossEntropy = kept.map(({ target }, k) => -Math.log(probabilities[k]?.[target] ?? NaN))
  const dices: number[] = []
  for (let c = 1; c < n; c++) {
    const truth = kept.map(({ target }): number => (target === c ? 1 : 0))
    const count = truth.reduce((a, b) => a + b, 0)
    if (count === 0) continue
    const overlap = truth.reduce((sum, t, k) => sum + t * (probabilities[k]?.[c] ?? NaN), 0)
    const predicted = probabilities.reduce((sum, p) => sum + (p[c] ?? NaN), 0)
    dices.push((2 * overlap + 1) / (predicted + count + 1))
  }
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length
  // A pixel counts by one over the square root of how many pixels its class has.
  const counts = new Map<number, number>()
  for (const { target } of kept) counts.set(target, (counts.get(target) ?? 0) + 1)
  const weights = kept.map(({ target }) => 1 / Math.sqrt(counts.get(target) ?? NaN))
  const weighted = crossEntropy.reduce((sum, value, k) => sum + value * (weights[k] ?? NaN), 0)
  return weighted / (mean(weights) * weights.length) + (dices.length > 0 ? 1 - mean(dices) : 0)
}

/** d loss / d logits by central differences. */
export function lossGradientReference(logits: ArrayLike<number>, classes: readonly number[], n: number): Float64Array {
  const step = 1e-5
  const at = Float64Array.from(logits)
  return Float64Array.from(at, (value, i) => {
    at[i] = value + step
    const above = lossReference(at, classes, n)
    at[i] = value - step
    const below = lossReference(at, classes, n)
    at[i] = value
    return (above - below) / (2 * step)
  })
}
