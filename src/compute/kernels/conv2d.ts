import * as tf from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { forwardInfo } from './convolution.ts'
import { address } from './heap.ts'
import { callShipped, input, registerWasmKernel } from './register.ts'
import { convolveTaps } from './tapConvolution.ts'
import type { WasmKernelArgs } from './register.ts'

/** Results below are raised to it. */
const FLOORS: Readonly<Record<string, number>> = { linear: -Infinity, relu: 0 }
const fusedAttrs = z.object({ activation: z.string() })

/**
 * Convolution, alone or with bias and ReLU: x [n, h, w, c], filter [kh, kw, c, o], bias [o] -> [n, oh, ow, o]; any
 * stride, dilation and padding. The kernels that ship stay for channels first and for other activations.
 */
export function registerConv2d(): void {
  const plain = registerWasmKernel(tf.Conv2D, (args) => convolve(args, -Infinity) ?? callShipped(plain, args))
  const fused = registerWasmKernel(tf.FusedConv2D, (args) => {
    const floor = FLOORS[fusedAttrs.parse(args.attrs).activation]
    return (floor === undefined ? null : convolve(args, floor)) ?? callShipped(fused, args)
  })
}

function convolve({ inputs, attrs, backend }: WasmKernelArgs, floor: number): tf.TensorInfo | null {
  const [x, filter] = [input(inputs, 'x'), input(inputs, 'filter')]
  const bias = inputs.bias ?? null
  const info = forwardInfo(x, filter, attrs)
  if (info.dataFormat !== 'channelsLast' || x.dtype !== 'float32') return null
  if (bias !== null && (bias.shape.length !== 1 || bias.shape[0] !== info.outChannels)) return null
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, padInfo } = info
  const out = backend.makeOutput(info.outShape, 'float32')
  const taps = Array.from({ length: info.filterHeight * info.filterWidth }, (_, place) => ({
    row: Math.floor(place / info.filterWidth) * info.dilationHeight - padInfo.top,
    column: (place % info.filterWidth) * info.dilationWidth - padInfo.left,
    place,
  }))
  const pixelBytes = 4 * outChannels
  convolveTaps(backend, {
    x: address(backend, x),
    shape: [batchSize, inHeight, inWidth, inChannels],
    taps,
    filter: {
      at: address(backend, filter),
      tapBytes: inChannels * pixelBytes,
      channelBytes: pixelBytes,
      outBytes: 4,
    },
    bias,
    floor,
    rowStep: info.strideHeight,
    columnStep: info.strideWidth,
    output: {
      at: address(backend, out),
      height: outHeight,
      width: outWidth,
      channels: outChannels,
      imageBytes: outHeight * outWidth * pixelBytes,
      rowBytes: outWidth * pixelBytes,
      pixelBytes,
    },
  })
  return out
}
