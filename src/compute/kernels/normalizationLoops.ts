import { jsFloats, jsTensor } from './jsHeap.ts'
import type { NormalizationPasses } from './normalization.ts'
import type { NormShape } from './normalizationMath.ts'

/** The passes of the normalizations as plain loops in double precision, for the `js` backend. */
export function jsPasses(backend: unknown): NormalizationPasses {
  return {
    read: (tensor) => jsFloats(backend, tensor),
    write: (values, shape) => jsTensor(backend, values, shape),
    moments(x, shape) {
      const values = jsFloats(backend, x)
      const mean = new Float64Array(shape.count * shape.channels)
      const squares = new Float64Array(mean.length)
      forEach(shape, 0, (at, i) => {
        mean[i] = (mean[i] ?? 0) + (values[at] ?? 0) / shape.pixels
      })
      forEach(shape, 0, (at, i) => {
        squares[i] = (squares[i] ?? 0) + ((values[at] ?? 0) - (mean[i] ?? 0)) ** 2
      })
      return { mean, squares }
    },
    apply(x, shape, coefficients, floor) {
      const values = jsFloats(backend, x)
      const y = new Float32Array(values.length)
      const normal = reader(values, coefficients, shape)
      forEach(shape, 3, (at, _, row) => {
        y[at] = Math.max(floor, normal(at, row).y)
      })
      return jsTensor(backend, y, x.shape)
    },
    gradientSums(x, dy, shape, coefficients, floor) {
      const gradients = jsFloats(backend, dy)
      const sum = new Float64Array(shape.count * shape.channels)
      const product = new Float64Array(sum.length)
      const normal = reader(jsFloats(backend, x), coefficients, shape)
      forEach(shape, 3, (at, i, row) => {
        const { y, offset } = normal(at, row)
        const g = y > floor ? (gradients[at] ?? 0) : 0
        sum[i] = (sum[i] ?? 0) + g
        product[i] = (product[i] ?? 0) + g * offset
      })
      return { sum, product }
    },
    gradientApply(x, dy, shape, coefficients, floor) {
      const gradients = jsFloats(backend, dy)
      const dx = new Float32Array(gradients.length)
      const { channels } = shape
      const normal = reader(jsFloats(backend, x), coefficients, shape)
      forEach(shape, 5, (at, _, row) => {
        const { y, offset } = normal(at, row)
        const g = y > floor ? (gradients[at] ?? 0) : 0
        const scale = coefficients[row + channels] ?? 0
        const ofOffset = coefficients[row + 3 * channels] ?? 0
        dx[at] = g * scale + offset * ofOffset + (coefficients[row + 4 * channels] ?? 0)
      })
      return jsTensor(backend, dx, x.shape)
    },
  }
}

/** y before the cut, and x - m, of the value at `at`, whose coefficients start at `row`. */
function reader(
  values: Float32Array,
  coefficients: Float32Array,
  { channels }: NormShape,
): (at: number, row: number) => { y: number; offset: number } {
  return (at, row) => {
    const offset = (values[at] ?? 0) - (coefficients[row] ?? 0)
    return { y: offset * (coefficients[row + channels] ?? 0) + (coefficients[row + 2 * channels] ?? 0), offset }
  }
}

/** Runs the body for each value: its place, its image and channel, and where its channel is in [count, rows, channels]. */
function forEach(
  { count, pixels, channels }: NormShape,
  rows: number,
  body: (at: number, imageAndChannel: number, row: number) => void,
): void {
  let at = 0
  for (let n = 0; n < count; n++) {
    for (let pixel = 0; pixel < pixels; pixel++) {
      for (let c = 0; c < channels; c++) body(at++, n * channels + c, n * rows * channels + c)
    }
  }
}
