/**
 * The arithmetic of the normalizations that is small: from sums by image and channel to the coefficients of the passes over
 * the pixels. All arrays by image and channel are [count, channels], channels fastest.
 */
export interface NormShape {
  readonly count: number
  /** Of an image. */
  readonly pixels: number
  readonly channels: number
}

/**
 * Which values have their mean and variance in common: those of a group of channels of one image (each channel a group:
 * instance normalization), those of a channel of the whole batch, or none, where both are given.
 */
export interface Pooling {
  readonly over: 'image' | 'batch' | 'given'
  /** For 'image' alone; divides the channels. */
  readonly groups: number
}

export interface Affine {
  /** [channels], or null where there is no scale or no shift. */
  readonly gamma: Float32Array | null
  readonly beta: Float32Array | null
}

/** Mean and sum of squared differences from it, of each image and channel. */
export interface Moments {
  readonly mean: Float64Array
  readonly squares: Float64Array
}

/** Sums over the pixels of each image and channel: of g, and of g times x - mean. */
export interface GradientSums {
  readonly sum: Float64Array
  readonly product: Float64Array
}

interface Sets {
  /** For each image and channel the set that it belongs to; null where each is a set of its own. */
  readonly of: Int32Array | null
  /** How many images and channels a set has. */
  readonly members: number
}

function setsOf({ count, channels }: NormShape, { over, groups }: Pooling): Sets {
  const members = over === 'image' ? channels / groups : count
  if (!Number.isInteger(members)) throw new Error(`${groups} groups do not divide ${channels} channels.`)
  if (members === 1) return { of: null, members }
  const of = new Int32Array(count * channels)
  for (let i = 0; i < of.length; i++) of[i] = over === 'image' ? Math.floor(i / members) : i % channels
  return { of, members }
}

/** Adds up the values within each set and writes the sum over each of them. */
function pool(values: Float64Array, { of }: Sets): void {
  if (of === null) return
  const sums = new Float64Array(values.length)
  for (let i = 0; i < values.length; i++) sums[of[i] ?? 0] = (sums[of[i] ?? 0] ?? 0) + (values[i] ?? 0)
  for (let i = 0; i < values.length; i++) values[i] = sums[of[i] ?? 0] ?? 0
}

/**
 * [2, count, channels]: mean and variance that apply to each image and channel. Merges the images' and channels' own
 * (Chan, Golub and LeVeque 1979): squares about the common mean are those about each own plus pixels * (own - common)^2.
 */
export function statisticsOf({ mean, squares }: Moments, shape: NormShape, pooling: Pooling): Float32Array {
  const size = shape.count * shape.channels
  const sets = setsOf(shape, pooling)
  const common = mean.slice()
  pool(common, sets)
  const about = squares.slice()
  for (let i = 0; i < size; i++) {
    common[i] = (common[i] ?? 0) / sets.members
    about[i] = (squares[i] ?? 0) + shape.pixels * ((mean[i] ?? 0) - (common[i] ?? 0)) ** 2
  }
  pool(about, sets)
  const result = new Float32Array(2 * size)
  result.set(common)
  for (let i = 0; i < size; i++) result[size + i] = (about[i] ?? 0) / (sets.members * shape.pixels)
  return result
}

/** [2, count, channels] of a mean and a variance by channel that are given. */
export function repeated(mean: Float32Array, variance: Float32Array, { count, channels }: NormShape): Float32Array {
  return Float32Array.from({ length: 2 * count * channels }, (_, i) => {
    const values = i < count * channels ? mean : variance
    return values[i % channels] ?? 0
  })
}

function inverseDeviation(variance: number, epsilon: number): number {
  return 1 / Math.sqrt(variance + epsilon)
}

/** [count, 3, channels] of m, a and b: y = (x - m) * a + b. */
export function forwardCoefficients(
  statistics: Float32Array,
  { count, channels }: NormShape,
  epsilon: number,
  { gamma, beta }: Affine,
): Float32Array {
  const result = new Float32Array(3 * count * channels)
  for (let n = 0; n < count; n++) {
    for (let c = 0; c < channels; c++) {
      const i = n * channels + c
      const at = 3 * n * channels + c
      result[at] = statistics[i] ?? 0
      result[at + channels] =
        (gamma === null ? 1 : (gamma[c] ?? 0)) * inverseDeviation(statistics[count * channels + i] ?? 0, epsilon)
      result[at + 2 * channels] = beta?.[c] ?? 0
    }
  }
  return result
}

interface GradientCoefficients {
  /** [count, 5, channels] of m, a, b, p and q: dx = g * a + (x - m) * p + q. */
  readonly coefficients: Float32Array
  /** d loss / d gamma and d loss / d beta, [channels]. */
  readonly gamma: Float32Array
  readonly beta: Float32Array
}

/**
 * With r = 1 / sqrt(variance + epsilon), v = (x - mean) * r, h = g * gamma and N the values of a set:
 * dx = r * (h - sum(h) / N - v * sum(h * v) / N), the sums over the set (Ioffe and Szegedy, arXiv 1502.03167, section 3);
 * where mean and variance are given, dx = r * h. dgamma = sum of g * v and dbeta = sum of g, over images and pixels.
 */
export function gradientCoefficients(
  { sum, product }: GradientSums,
  statistics: Float32Array,
  shape: NormShape,
  pooling: Pooling,
  epsilon: number,
  affine: Affine,
): GradientCoefficients {
  const { count, channels } = shape
  const size = count * channels
  const forward = forwardCoefficients(statistics, shape, epsilon, affine)
  const sets = setsOf(shape, pooling)
  const part = pooling.over === 'given' ? 0 : 1 / (sets.members * shape.pixels)
  const inverse = new Float64Array(size)
  const sumOfH = new Float64Array(size)
  const sumOfHv = new Float64Array(size)
  for (let i = 0; i < size; i++) {
    const weight = affine.gamma === null ? 1 : (affine.gamma[i % channels] ?? 0)
    const r = inverseDeviation(statistics[size + i] ?? 0, epsilon)
    inverse[i] = r
    sumOfH[i] = weight * (sum[i] ?? 0)
    sumOfHv[i] = weight * r * (product[i] ?? 0)
  }
  pool(sumOfH, sets)
  pool(sumOfHv, sets)
  const coefficients = new Float32Array(5 * size)
  const gamma = new Float64Array(channels)
  const beta = new Float64Array(channels)
  for (let n = 0; n < count; n++) {
    const from = 3 * n * channels
    const to = 5 * n * channels
    coefficients.set(forward.subarray(from, from + 3 * channels), to)
    for (let c = 0; c < channels; c++) {
      const i = n * channels + c
      const r = inverse[i] ?? 0
      coefficients[to + 3 * channels + c] = -r * r * (sumOfHv[i] ?? 0) * part
      coefficients[to + 4 * channels + c] = -r * (sumOfH[i] ?? 0) * part
      gamma[c] = (gamma[c] ?? 0) + r * (product[i] ?? 0)
      beta[c] = (beta[c] ?? 0) + (sum[i] ?? 0)
    }
  }
  return { coefficients, gamma: Float32Array.from(gamma), beta: Float32Array.from(beta) }
}
