type Shape4 = readonly [number, number, number, number]

export interface NormalizationCase {
  /** Groups of channels of one image, all of a channel in the batch, or by moments that are given. */
  readonly over: 'image' | 'batch' | 'given'
  readonly groups: number
  readonly epsilon: number
  readonly relu: boolean
}

interface Parameters {
  readonly gamma: ArrayLike<number> | null
  readonly beta: ArrayLike<number> | null
  readonly mean?: ArrayLike<number>
  readonly variance?: ArrayLike<number>
}

/** The normalizations by their definition, for each value anew. */
export function normalizationOf(
  x: Float64Array,
  shape: Shape4,
  { over, groups, epsilon, relu }: NormalizationCase,
  { gamma, beta, mean, variance }: Parameters,
): Float64Array {
  const channels = shape[3]
  const image = shape[1] * shape[2] * channels
  const groupOf = (i: number) => Math.floor((i % channels) / (channels / groups))
  const members = new Map<string, number[]>()
  const setOf = (i: number) => (over === 'image' ? `${Math.floor(i / image)} ${groupOf(i)}` : `${i % channels}`)
  x.forEach((_, i) => {
    members.set(setOf(i), [...(members.get(setOf(i)) ?? []), i])
  })
  const moments = new Map(
    [...members].map(([set, places]) => {
      const values = places.map((i) => x[i] ?? NaN)
      const average = values.reduce((a, b) => a + b, 0) / values.length
      return [set, [average, values.reduce((a, b) => a + (b - average) ** 2, 0) / values.length] as const]
    }),
  )
  return x.map((value, i) => {
    const c = i % channels
    const own = moments.get(setOf(i)) ?? [NaN, NaN]
    const [m, v] = over === 'given' ? [mean?.[c] ?? NaN, variance?.[c] ?? NaN] : own
    const y = ((value - m) / Math.sqrt(v + epsilon)) * (gamma?.[c] ?? 1) + (beta?.[c] ?? 0)
    return relu ? Math.max(0, y) : y
  })
}
