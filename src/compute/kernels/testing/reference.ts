/**
 * The operations by their definition, in double precision and as plainly as can be: what tests compare kernels with.
 * All arrays are [n, h, w, c], channels fastest.
 */
export type Padding = 'same' | 'valid'
type Shape4 = readonly [number, number, number, number]

interface ConvolutionGeometry {
  readonly shape: Shape4
  /** [rows, columns, channels in, channels out] */
  readonly filterShape: Shape4
  readonly stride: number
  readonly padding: Padding
}

function extent(size: number, window: number, stride: number, padding: Padding): { out: number; before: number } {
  if (padding === 'valid') return { out: Math.ceil((size - window + 1) / stride), before: 0 }
  const out = Math.ceil(size / stride)
  return { out, before: Math.floor(Math.max(0, (out - 1) * stride + window - size) / 2) }
}

export function outputSize({ shape, filterShape, stride, padding }: ConvolutionGeometry): [number, number] {
  return [extent(shape[1], filterShape[0], stride, padding).out, extent(shape[2], filterShape[1], stride, padding).out]
}

export function convolution(x: Float64Array, filter: Float64Array, geometry: ConvolutionGeometry): Float64Array {
  const { shape, filterShape, stride, padding } = geometry
  const [count, height, width, channels] = shape
  const [rows, columns, , outChannels] = filterShape
  const vertical = extent(height, rows, stride, padding)
  const horizontal = extent(width, columns, stride, padding)
  const out = new Float64Array(count * vertical.out * horizontal.out * outChannels)
  let at = 0
  for (let n = 0; n < count; n++) {
    for (let oy = 0; oy < vertical.out; oy++) {
      for (let ox = 0; ox < horizontal.out; ox++) {
        for (let o = 0; o < outChannels; o++, at++) {
          for (let i = 0; i < rows; i++) {
            for (let j = 0; j < columns; j++) {
              const y = oy * stride + i - vertical.before
              const z = ox * stride + j - horizontal.before
              if (y < 0 || y >= height || z < 0 || z >= width) continue
              for (let c = 0; c < channels; c++) {
                const pixel = x[((n * height + y) * width + z) * channels + c] ?? NaN
                const weight = filter[((i * columns + j) * channels + c) * outChannels + o] ?? NaN
                out[at] = (out[at] ?? NaN) + pixel * weight
              }
            }
          }
        }
      }
    }
  }
  return out
}

interface PoolGeometry {
  readonly shape: Shape4
  readonly size: number
  readonly stride: number
  readonly padding: Padding
}

export function maxPooling(x: Float64Array, { shape, size, stride, padding }: PoolGeometry): Float64Array {
  const [count, height, width, channels] = shape
  const vertical = extent(height, size, stride, padding)
  const horizontal = extent(width, size, stride, padding)
  const out = new Float64Array(count * vertical.out * horizontal.out * channels).fill(-Infinity)
  let at = 0
  for (let n = 0; n < count; n++) {
    for (let oy = 0; oy < vertical.out; oy++) {
      for (let ox = 0; ox < horizontal.out; ox++) {
        for (let c = 0; c < channels; c++, at++) {
          for (let i = 0; i < size; i++) {
            for (let j = 0; j < size; j++) {
              const y = oy * stride + i - vertical.before
              const z = ox * stride + j - horizontal.before
              if (y < 0 || y >= height || z < 0 || z >= width) continue
              out[at] = Math.max(out[at] ?? NaN, x[((n * height + y) * width + z) * channels + c] ?? NaN)
            }
          }
        }
      }
    }
  }
  return out
}

export function nearestResizing(x: Float64Array, shape: Shape4, to: readonly [number, number]): Float64Array {
  const [count, height, width, channels] = shape
  const out: number[] = []
  for (let n = 0; n < count; n++) {
    for (let oy = 0; oy < to[0]; oy++) {
      for (let ox = 0; ox < to[1]; ox++) {
        const y = Math.floor((oy * height) / to[0])
        const z = Math.floor((ox * width) / to[1])
        for (let c = 0; c < channels; c++) out.push(x[((n * height + y) * width + z) * channels + c] ?? NaN)
      }
    }
  }
  return Float64Array.from(out)
}

export function instanceNormReluOf(x: Float64Array, shape: Shape4, epsilon: number): Float64Array {
  const [count, height, width, channels] = shape
  const pixels = height * width
  const out = new Float64Array(x.length)
  for (let n = 0; n < count; n++) {
    for (let c = 0; c < channels; c++) {
      const places = Array.from({ length: pixels }, (_, p) => (n * pixels + p) * channels + c)
      const mean = places.reduce((sum, at) => sum + (x[at] ?? NaN), 0) / pixels
      const variance = places.reduce((sum, at) => sum + ((x[at] ?? NaN) - mean) ** 2, 0) / pixels
      for (const at of places) out[at] = Math.max(0, ((x[at] ?? NaN) - mean) / Math.sqrt(variance + epsilon))
    }
  }
  return out
}

/** d/dx of sum(weights * f(x)) by central differences. */
export function numericGradient(
  f: (x: Float64Array) => Float64Array,
  x: ArrayLike<number>,
  weights: ArrayLike<number>,
): Float64Array {
  const step = 1e-6
  const at = Float64Array.from(x)
  const weighted = () => f(at).reduce((sum, value, i) => sum + value * (weights[i] ?? NaN), 0)
  return Float64Array.from(x, (value, i) => {
    at[i] = value + step
    const above = weighted()
    at[i] = value - step
    const below = weighted()
    at[i] = value
    return (above - below) / (2 * step)
  })
}
