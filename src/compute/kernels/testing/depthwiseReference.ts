import { axisOf } from './reference.ts'
import type { Padding } from './reference.ts'

export interface DepthwiseGeometry {
  readonly shape: readonly [number, number, number, number]
  /** [rows, columns, channels, outputs a channel] */
  readonly filterShape: readonly [number, number, number, number]
  readonly stride: number
  readonly dilation: number
  readonly padding: Padding
}

/** Depthwise convolution by its definition: output c * m + k is channel c by filter k of this channel. */
export function depthwiseConvolution(x: Float64Array, filter: Float64Array, geometry: DepthwiseGeometry): Float64Array {
  const { shape, filterShape, stride, dilation, padding } = geometry
  const [count, height, width, channels] = shape
  const [rows, columns, , outputs] = filterShape
  const vertical = axisOf(height, rows, { stride, dilation, padding })
  const horizontal = axisOf(width, columns, { stride, dilation, padding })
  const out: number[] = []
  for (let n = 0; n < count; n++) {
    for (let oy = 0; oy < vertical.out; oy++) {
      for (let ox = 0; ox < horizontal.out; ox++) {
        for (let c = 0; c < channels; c++) {
          for (let k = 0; k < outputs; k++) {
            let sum = 0
            for (let i = 0; i < rows; i++) {
              for (let j = 0; j < columns; j++) {
                const y = oy * stride + i * dilation - vertical.before
                const z = ox * stride + j * dilation - horizontal.before
                if (y < 0 || y >= height || z < 0 || z >= width) continue
                const pixel = x[((n * height + y) * width + z) * channels + c] ?? NaN
                sum += pixel * (filter[((i * columns + j) * channels + c) * outputs + k] ?? NaN)
              }
            }
            out.push(sum)
          }
        }
      }
    }
  }
  return Float64Array.from(out)
}
