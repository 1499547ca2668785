import * as tf from '@tensorflow/tfjs-core'
import { registerNativeKernel } from '../recorder.ts'
import { multiply } from '../math.ts'
import { repeated, isTiling } from '../../lowering/maxPoolGradient.ts'
import { geometryOf } from './geometry.ts'
import { unmixed } from './mixing.ts'
import { poolingInfo } from './pooling.ts'
import type { Mix } from '../../../kernels/mixtures.ts'

/**
 * The gradient of average pooling: each output's in equal parts to the pixels of its window, padding not counted.
 * dy [n, oh, ow, c], input [n, h, w, c] -> [n, h, w, c].
 */
export function registerAvgPoolGrad(): void {
  registerNativeKernel(tf.AvgPoolGrad, ({ input, value, attrs, backend }) => {
    const info = poolingInfo(input('input'), attrs)
    const dy = value('dy', 'channelsFirst')
    const { filterHeight: high, filterWidth: wide, outHeight, outWidth, inHeight, inWidth } = info
    const covers = outHeight * high === inHeight && outWidth * wide === inWidth
    const dx =
      covers && isTiling(geometryOf(info))
        ? repeated(multiply(dy, 1 / (high * wide)), high, wide)
        : unmixed(dy, rowsOf(info), columnsOf(info), [inHeight, inWidth])
    return backend.make(dx, info.inShape, 'float32', 'channelsFirst')
  })
}

function rowsOf({ inHeight, outHeight, strideHeight, filterHeight, padInfo }: tf.backend_util.Conv2DInfo): Mix[] {
  return mixes(inHeight, outHeight, strideHeight, filterHeight, padInfo.top)
}

function columnsOf({ inWidth, outWidth, strideWidth, filterWidth, padInfo }: tf.backend_util.Conv2DInfo): Mix[] {
  return mixes(inWidth, outWidth, strideWidth, filterWidth, padInfo.left)
}

function mixes(inSize: number, outSize: number, stride: number, size: number, before: number): Mix[] {
  return Array.from({ length: outSize }, (_, out): Mix[] => {
    const first = Math.max(0, out * stride - before)
    const end = Math.min(inSize, out * stride - before + size)
    const count = Math.max(0, end - first)
    return Array.from({ length: count }, (__, i) => ({ out, from: first + i, weight: 1 / count }))
  }).flat()
}
