/**
 * Instance normalization followed by ReLU, forward and backward, over plain arrays of [n, pixels, c] values.
 * Ulyanov et al., arXiv 1607.08022, without scale and shift: y = max(0, (x - mean) / sqrt(variance + epsilon)), mean and
 * variance over the pixels of each image and channel.
 */
export interface NormShape {
  readonly count: number
  readonly pixels: number
  readonly channels: number
}

/** Writes y and, for the backward pass, [n, 2, c] of mean and 1 / sqrt(variance + epsilon) to `stats`. */
export function instanceNormRelu(
  x: Float32Array,
  { count, pixels, channels }: NormShape,
  epsilon: number,
  y: Float32Array,
  stats: Float32Array,
): void {
  const shift = new Float64Array(channels)
  const sum = new Float64Array(channels)
  const squares = new Float64Array(channels)
  for (let n = 0; n < count; n++) {
    const start = n * pixels * channels
    const end = start + pixels * channels
    // Moments about the first pixel: no second pass, and no cancellation where all values are alike.
    for (let c = 0; c < channels; c++) shift[c] = x[start + c] ?? 0
    sum.fill(0)
    squares.fill(0)
    for (let i = start; i < end; i += channels) {
      for (let c = 0; c < channels; c++) {
        const value = (x[i + c] ?? 0) - (shift[c] ?? 0)
        sum[c] = (sum[c] ?? 0) + value
        squares[c] = (squares[c] ?? 0) + value * value
      }
    }
    for (let c = 0; c < channels; c++) {
      const offset = (sum[c] ?? 0) / pixels
      const variance = Math.max(0, (squares[c] ?? 0) / pixels - offset * offset)
      const mean = offset + (shift[c] ?? 0)
      const scale = 1 / Math.sqrt(variance + epsilon)
      stats[2 * n * channels + c] = mean
      stats[(2 * n + 1) * channels + c] = scale
      sum[c] = mean
      squares[c] = scale
    }
    for (let i = start; i < end; i += channels) {
      for (let c = 0; c < channels; c++) {
        const value = ((x[i + c] ?? 0) - (sum[c] ?? 0)) * (squares[c] ?? 0)
        y[i + c] = value > 0 ? value : 0
      }
    }
  }
}

/** Writes d loss / d x, given x, the stats of the forward pass and dy = d loss / d y. */
export function instanceNormReluGradient(
  x: Float32Array,
  stats: Float32Array,
  dy: Float32Array,
  { count, pixels, channels }: NormShape,
  dx: Float32Array,
): void {
  const mean = new Float64Array(channels)
  const scale = new Float64Array(channels)
  const sum = new Float64Array(channels)
  const product = new Float64Array(channels)
  for (let n = 0; n < count; n++) {
    const start = n * pixels * channels
    const end = start + pixels * channels
    for (let c = 0; c < channels; c++) {
      mean[c] = stats[2 * n * channels + c] ?? 0
      scale[c] = stats[(2 * n + 1) * channels + c] ?? 0
    }
    sum.fill(0)
    product.fill(0)
    for (let i = start; i < end; i += channels) {
      for (let c = 0; c < channels; c++) {
        const normal = ((x[i + c] ?? 0) - (mean[c] ?? 0)) * (scale[c] ?? 0)
        if (normal > 0) {
          const gradient = dy[i + c] ?? 0
          sum[c] = (sum[c] ?? 0) + gradient
          product[c] = (product[c] ?? 0) + gradient * normal
        }
      }
    }
    for (let c = 0; c < channels; c++) {
      sum[c] = (sum[c] ?? 0) / pixels
      product[c] = (product[c] ?? 0) / pixels
    }
    for (let i = start; i < end; i += channels) {
      for (let c = 0; c < channels; c++) {
        const normal = ((x[i + c] ?? 0) - (mean[c] ?? 0)) * (scale[c] ?? 0)
        const gradient = normal > 0 ? (dy[i + c] ?? 0) : 0
        dx[i + c] = (scale[c] ?? 0) * (gradient - (sum[c] ?? 0) - normal * (product[c] ?? 0))
      }
    }
  }
}
