import * as tf from '@tensorflow/tfjs-core'
import { depthwiseInfo } from './convolution.ts'
import { floats } from './heap.ts'
import { callShipped, input, registerWasmKernel } from './register.ts'
import { addProducts } from './tables.ts'
import type { WasmKernelArgs } from './register.ts'
import type { Entry, Tables } from './tables.ts'

type Info = tf.backend_util.Conv2DInfo

/**
 * Depthwise convolution as it ships, but for one case: with padding 'same' and a stride longer than the filter, its count of
 * padding goes below zero and the result is all zeros (tfjs-backend-wasm 4.22). The padding is then handed over as numbers.
 */
export function registerDepthwiseConvolution(): void {
  for (const name of [tf.DepthwiseConv2dNative, tf.FusedDepthwiseConv2D]) {
    const shipped = registerWasmKernel(name, (args) => {
      const info = depthwiseInfo(args.attrs, input(args.inputs, 'x'), input(args.inputs, 'filter'))
      const { padInfo, strideHeight, filterHeight, strideWidth, filterWidth } = info
      if (strideHeight <= filterHeight && strideWidth <= filterWidth) return callShipped(shipped, args)
      const pad = [
        [0, 0],
        [padInfo.top, padInfo.bottom],
        [padInfo.left, padInfo.right],
        [0, 0],
      ]
      return callShipped(shipped, { ...args, attrs: { ...args.attrs, pad } })
    })
  }
}

/**
 * Gradients of depthwise convolution, which tfjs-backend-wasm does not have: with m the outputs of an input channel,
 * x [n, h, w, c], filter [kh, kw, c, m], dy [n, oh, ow, c * m] -> dx [n, h, w, c] and df [kh, kw, c, m].
 * Any size, stride, dilation and padding, channels last; several outputs a channel go by a plain loop.
 */
export function registerDepthwiseGradients(): void {
  registerWasmKernel(tf.DepthwiseConv2dNativeBackpropInput, inputGradient)
  registerWasmKernel(tf.DepthwiseConv2dNativeBackpropFilter, filterGradient)
}

function inputGradient({ inputs, attrs, backend }: WasmKernelArgs): tf.TensorInfo {
  const [dy, filter] = [input(inputs, 'dy'), input(inputs, 'filter')]
  const info = depthwiseInfo(attrs, null, filter)
  const dx = backend.makeOutput(info.inShape, 'float32')
  floats(backend, dx).fill(0)
  if (info.outChannels === info.inChannels) {
    const pixel = 4 * info.inChannels
    const rows = images(info).flatMap((n) =>
      along(vertical(info)).map(({ outer, tap, inner }) => {
        const row = n * info.inHeight + inner
        const from = (n * info.outHeight + outer) * info.outWidth
        return { unit: row, entry: entryOf(pixel, from, tap * info.filterWidth, row * info.inWidth) }
      }),
    )
    const columns = along(horizontal(info)).map(({ outer, tap, inner }) => entryOf(pixel, outer, tap, inner))
    addProducts(backend, tablesOf(info, info.batchSize * info.inHeight, rows, columns), dy, filter, dx)
  } else {
    const [gradient, weights, result] = [floats(backend, dy), floats(backend, filter), floats(backend, dx)]
    forEachProduct(info, (at, weight, out) => {
      result[at] = (result[at] ?? 0) + (weights[weight] ?? 0) * (gradient[out] ?? 0)
    })
  }
  return dx
}

function filterGradient({ inputs, attrs, backend }: WasmKernelArgs): tf.TensorInfo {
  const [x, dy] = [input(inputs, 'x'), input(inputs, 'dy')]
  const info = depthwiseInfo(attrs, x, null)
  const df = backend.makeOutput(info.filterShape, 'float32')
  floats(backend, df).fill(0)
  if (info.outChannels === info.inChannels) {
    // A sum for each output row, so that rows do not depend on each other.
    const size = info.filterHeight * info.filterWidth * info.inChannels
    const units = info.batchSize * info.outHeight
    const partial = backend.makeOutput([units, size], 'float32')
    floats(backend, partial).fill(0)
    const taps = info.filterHeight * info.filterWidth
    const pixel = 4 * info.inChannels
    const rows = images(info).flatMap((n) =>
      along(vertical(info)).map(({ outer, tap, inner }) => {
        const unit = n * info.outHeight + outer
        const from = (n * info.inHeight + inner) * info.inWidth
        return { unit, entry: entryOf(pixel, from, unit * info.outWidth, unit * taps + tap * info.filterWidth) }
      }),
    )
    const columns = along(horizontal(info)).map(({ outer, tap, inner }) => entryOf(pixel, inner, outer, tap))
    addProducts(backend, tablesOf(info, units, rows, columns), x, dy, partial)
    const [sums, result] = [floats(backend, partial), floats(backend, df)]
    for (let i = 0; i < size; i++) {
      let sum = 0
      for (let unit = 0; unit < units; unit++) sum += sums[unit * size + i] ?? 0
      result[i] = sum
    }
    backend.disposeData(partial.dataId)
  } else {
    const [image, gradient, result] = [floats(backend, x), floats(backend, dy), floats(backend, df)]
    forEachProduct(info, (at, weight, out) => {
      result[weight] = (result[weight] ?? 0) + (image[at] ?? 0) * (gradient[out] ?? 0)
    })
  }
  return df
}

/** Of an axis of the image: an output, the tap by which it reads, and the input that it reads. */
interface Pair {
  readonly outer: number
  readonly tap: number
  readonly inner: number
}

interface Axis {
  readonly outSize: number
  readonly taps: number
  readonly inSize: number
  readonly stride: number
  readonly dilation: number
  readonly before: number
}

function vertical(info: Info): Axis {
  const { outHeight, filterHeight, inHeight, strideHeight, dilationHeight, padInfo } = info
  const [stride, dilation] = [strideHeight, dilationHeight]
  return { outSize: outHeight, taps: filterHeight, inSize: inHeight, stride, dilation, before: padInfo.top }
}

function horizontal(info: Info): Axis {
  const { outWidth, filterWidth, inWidth, strideWidth, dilationWidth, padInfo } = info
  const [stride, dilation] = [strideWidth, dilationWidth]
  return { outSize: outWidth, taps: filterWidth, inSize: inWidth, stride, dilation, before: padInfo.left }
}

/** All pairs of an axis; where a tap lies on the padding there is none. */
function along({ outSize, taps, inSize, stride, dilation, before }: Axis): Pair[] {
  return Array.from({ length: outSize * taps }, (_, i) => {
    const [outer, tap] = [Math.floor(i / taps), i % taps]
    return { outer, tap, inner: outer * stride + tap * dilation - before }
  }).filter(({ inner }) => inner >= 0 && inner < inSize)
}

function images({ batchSize }: Info): number[] {
  return Array.from({ length: batchSize }, (_, n) => n)
}

/** Places counted in pixels, as distances in bytes. */
function entryOf(pixel: number, a: number, b: number, z: number): Entry {
  return [pixel * a, pixel * b, pixel * z]
}

function tablesOf(
  info: Info,
  units: number,
  rows: readonly { unit: number; entry: Entry }[],
  columns: Tables['columns'],
): Tables {
  const byUnit: Entry[][] = Array.from({ length: units }, () => [])
  for (const { unit, entry } of rows) byUnit[unit]?.push(entry)
  return { rows: byUnit, columns, channels: info.inChannels }
}

/** The plain loop: each product of an input, a weight and an output's gradient, by their places. */
function forEachProduct(info: Info, body: (x: number, weight: number, dy: number) => void): void {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, filterWidth } = info
  const outputs = outChannels / inChannels
  for (let n = 0; n < batchSize; n++) {
    for (const row of along(vertical(info))) {
      for (const column of along(horizontal(info))) {
        const x = ((n * inHeight + row.inner) * inWidth + column.inner) * inChannels
        const weight = (row.tap * filterWidth + column.tap) * outChannels
        const dy = ((n * outHeight + row.outer) * outWidth + column.outer) * outChannels
        for (let o = 0; o < outChannels; o++) body(x + Math.floor(o / outputs), weight + o, dy + o)
      }
    }
  }
}
