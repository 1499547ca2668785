/**
 * The operations by their definition, in double precision and as plainly as can be: what tests compare kernels with.
 * All arrays are [n, h, w, c], channels fastest.
 */
export type Padding = 'same' | 'valid'
type Shape4 = readonly [number, number, number, number]

interface Window {
  readonly stride: number
  /** 1 unless given: how far apart the taps are. */
  readonly dilation?: number
  readonly padding: Padding
}

interface ConvolutionGeometry extends Window {
  readonly shape: Shape4
  /** [rows, columns, channels in, channels out] */
  readonly filterShape: Shape4
}

/** Along one axis: how many outputs there are, and how far the first window reaches out of the image. */
export function axisOf(
  size: number,
  taps: number,
  { stride, dilation = 1, padding }: Window,
): { out: number; before: number } {
  const window = (taps - 1) * dilation + 1
  if (padding === 'valid') return { out: Math.ceil((size - window + 1) / stride), before: 0 }
  const out = Math.ceil(size / stride)
  return { out, before: Math.floor(Math.max(0, (out - 1) * stride + window - size) / 2) }
}

export function outputSize(geometry: ConvolutionGeometry): [number, number] {
  const { shape, filterShape } = geometry
  return [axisOf(shape[1], filterShape[0], geometry).out, axisOf(shape[2], filterShape[1], geometry).out]
}

export function convolution(x: Float64Array, filter: Float64Array, geometry: ConvolutionGeometry): Float64Array {
  const { shape, filterShape, stride, dilation = 1 } = geometry
  const [count, height, width, channels] = shape
  const [rows, columns, , outChannels] = filterShape
  const vertical = axisOf(height, rows, geometry)
  const horizontal = axisOf(width, columns, geometry)
  const out = new Float64Array(count * vertical.out * horizontal.out * outChannels)
  let at = 0
  for (let n = 0; n < count; n++) {
    for (let oy = 0; oy < vertical.out; oy++) {
      for (let ox = 0; ox < horizontal.out; ox++) {
        for (let o = 0; o < outChannels; o++, at++) {
          for (let i = 0; i < rows; i++) {
            for (let j = 0; j < columns; j++) {
              const y = oy * stride + i * dilation - vertical.before
              const z = ox * stride + j * dilation - horizontal.before
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

export function maxPooling(x: Float64Array, { shape, size, ...window }: PoolGeometry): Float64Array {
  const [count, height, width, channels] = shape
  const { stride } = window
  const vertical = axisOf(height, size, window)
  const horizontal = axisOf(width, size, window)
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

/** The mean over each window, without what lies beyond the image. */
export function averagePooling(x: Float64Array, { shape, size, ...window }: PoolGeometry): Float64Array {
  const [count, height, width, channels] = shape
  const { stride } = window
  const vertical = axisOf(height, size, window)
  const horizontal = axisOf(width, size, window)
  const inside = (first: number, most: number) =>
    Array.from({ length: size }, (_, i) => first + i).filter((i) => i >= 0 && i < most)
  const out: number[] = []
  for (let n = 0; n < count; n++) {
    for (let oy = 0; oy < vertical.out; oy++) {
      for (let ox = 0; ox < horizontal.out; ox++) {
        const places = inside(oy * stride - vertical.before, height).flatMap((y) =>
          inside(ox * stride - horizontal.before, width).map((z) => ((n * height + y) * width + z) * channels),
        )
        for (let c = 0; c < channels; c++) {
          out.push(places.reduce((sum, place) => sum + (x[place + c] ?? NaN), 0) / places.length)
        }
      }
    }
  }
  return Float64Array.from(out)
}

/** Corners of the images on each other; the weights of two neighbours add up to one. */
export function bilinearResizing(x: Float64Array, shape: Shape4, to: readonly [number, number]): Float64Array {
  const [count, height, width, channels] = shape
  const out: number[] = []
  for (let n = 0; n < count; n++) {
    for (let oy = 0; oy < to[0]; oy++) {
      for (let ox = 0; ox < to[1]; ox++) {
        const [y, z] = [(oy * height) / to[0], (ox * width) / to[1]]
        for (let c = 0; c < channels; c++) {
          let sum = 0
          for (const row of [Math.floor(y), Math.floor(y) + 1]) {
            for (const column of [Math.floor(z), Math.floor(z) + 1]) {
              const [i, j] = [Math.min(row, height - 1), Math.min(column, width - 1)]
              const weight = (1 - Math.abs(y - row)) * (1 - Math.abs(z - column))
              sum += weight * (x[((n * height + i) * width + j) * channels + c] ?? NaN)
            }
          }
          out.push(sum)
        }
      }
    }
  }
  return Float64Array.from(out)
}

/** x [n, h, w, c], filter [rows, columns, o, c]: each pixel adds its multiple of the filter to a stride x stride grid. */
export function transposedConvolution(
  x: Float64Array,
  filter: Float64Array,
  { shape, filterShape, stride, padding }: ConvolutionGeometry,
): Float64Array {
  const [count, height, width, channels] = shape
  const [rows, columns, outChannels] = filterShape
  const longer = (size: number, taps: number) => size * stride + (padding === 'valid' ? Math.max(0, taps - stride) : 0)
  const [outHeight, outWidth] = [longer(height, rows), longer(width, columns)]
  // The padding of the convolution that leads from the result back to x.
  const above = axisOf(outHeight, rows, { stride, padding }).before
  const left = axisOf(outWidth, columns, { stride, padding }).before
  const out = new Float64Array(count * outHeight * outWidth * outChannels)
  for (let n = 0; n < count; n++) {
    for (let y = 0; y < height; y++) {
      for (let z = 0; z < width; z++) {
        for (let i = 0; i < rows; i++) {
          for (let j = 0; j < columns; j++) {
            const [oy, ox] = [y * stride + i - above, z * stride + j - left]
            if (oy < 0 || oy >= outHeight || ox < 0 || ox >= outWidth) continue
            for (let o = 0; o < outChannels; o++) {
              const at = ((n * outHeight + oy) * outWidth + ox) * outChannels + o
              for (let c = 0; c < channels; c++) {
                const pixel = x[((n * height + y) * width + z) * channels + c] ?? NaN
                const weight = filter[((i * columns + j) * outChannels + o) * channels + c] ?? NaN
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

/** d/dx of sum(weights * f(x)) by central differences. */
export function numericGradient(
  f: (x: Float64Array) => Float64Array,
  x: ArrayLike<number>,
  weights: ArrayLike<number>,
): Float64Array {
  return Float64Array.from(numericGradientAt([...Array.from(x).keys()], f, x, weights))
}

/** The same for some of the values alone. */
export function numericGradientAt(
  places: readonly number[],
  f: (x: Float64Array) => Float64Array,
  x: ArrayLike<number>,
  weights: ArrayLike<number>,
): number[] {
  const step = 1e-6
  const at = Float64Array.from(x)
  const weighted = () => f(at).reduce((sum, value, i) => sum + value * (weights[i] ?? NaN), 0)
  return places.map((i) => {
    const value = at[i] ?? NaN
    at[i] = value + step
    const above = weighted()
    at[i] = value - step
    const below = weighted()
    at[i] = value
    return (above - below) / (2 * step)
  })
}
