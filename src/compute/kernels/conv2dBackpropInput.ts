import * as tf from '@tensorflow/tfjs-core'
import { inputGradientInfo } from './convolution.ts'
import { address } from './heap.ts'
import { callShipped, input, registerWasmKernel } from './register.ts'
import { convolveTaps } from './tapConvolution.ts'
import type { Tap } from './tapConvolution.ts'
import type { WasmKernelArgs } from './register.ts'

/**
 * Gradient of a convolution with respect to its input, which is also transposed convolution: a convolution of dy with the
 * taps the other way round and the filter's channels swapped. With strides, each of the stride x stride phases of
 * the result meets some of the taps and is a convolution of its own with these.
 * dy [n, oh, ow, o], filter [kh, kw, c, o] -> [n, h, w, c]; any stride, dilation and padding. The kernel that ships, a
 * plain loop, stays for channels first.
 */
export function registerConv2dBackpropInput(): void {
  const shipped = registerWasmKernel(tf.Conv2DBackpropInput, (args) => {
    return conv2dBackpropInput(args) ?? callShipped(shipped, args)
  })
}

function conv2dBackpropInput({ inputs, attrs, backend }: WasmKernelArgs): tf.TensorInfo | null {
  const [dy, filter] = [input(inputs, 'dy'), input(inputs, 'filter')]
  const info = inputGradientInfo(filter, attrs)
  if (info.dataFormat !== 'channelsLast' || dy.dtype !== 'float32') return null
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, padInfo } = info
  const out = backend.makeOutput([batchSize, inHeight, inWidth, inChannels], 'float32')
  const pixelBytes = 4 * inChannels
  const rowBytes = inWidth * pixelBytes
  for (let top = 0; top < Math.min(info.strideHeight, inHeight); top++) {
    const rows = tapsOfPhase(top + padInfo.top, info.strideHeight, info.dilationHeight, info.filterHeight)
    for (let left = 0; left < Math.min(info.strideWidth, inWidth); left++) {
      const columns = tapsOfPhase(left + padInfo.left, info.strideWidth, info.dilationWidth, info.filterWidth)
      const taps = rows.flatMap((row): Tap[] =>
        columns.map((column) => ({
          row: row.offset,
          column: column.offset,
          place: row.tap * info.filterWidth + column.tap,
        })),
      )
      convolveTaps(backend, {
        x: address(backend, dy),
        shape: [batchSize, outHeight, outWidth, outChannels],
        taps,
        filter: {
          at: address(backend, filter),
          tapBytes: 4 * inChannels * outChannels,
          channelBytes: 4,
          outBytes: 4 * outChannels,
        },
        bias: null,
        floor: -Infinity,
        rowStep: 1,
        columnStep: 1,
        output: {
          at: address(backend, out) + top * rowBytes + left * pixelBytes,
          height: Math.ceil((inHeight - top) / info.strideHeight),
          width: Math.ceil((inWidth - left) / info.strideWidth),
          channels: inChannels,
          imageBytes: inHeight * rowBytes,
          rowBytes: info.strideHeight * rowBytes,
          pixelBytes: info.strideWidth * pixelBytes,
        },
      })
    }
  }
  return out
}

/**
 * The taps along one axis by which every stride-th pixel, from the one at `position` of the padded image on, reached an
 * output, and which output that was for the first of these pixels.
 */
function tapsOfPhase(
  position: number,
  stride: number,
  dilation: number,
  size: number,
): { readonly tap: number; readonly offset: number }[] {
  return Array.from({ length: size }, (_, tap) => ({ tap, offset: (position - tap * dilation) / stride }))
    .filter(({ offset }) => Number.isInteger(offset))
    .reverse()
}
