import * as tf from '@tensorflow/tfjs-core'
import { emit, int, text } from '../../graph/build.ts'
import { channelsFirstShape } from '../../tensors.ts'
import { numberOf } from '../attributes.ts'
import { convert } from '../conversion.ts'
import { registerNativeKernel } from '../recorder.ts'

/** Channels become blocks of pixels: [n, h, w, rows * columns * c] -> [n, h * rows, w * columns, c]. */
export function registerDepthToSpace(): void {
  registerNativeKernel(tf.DepthToSpace, ({ input, value, attrs, backend }) => {
    const x = input('x')
    if (attrs.dataFormat !== 'NHWC') throw new Error('DepthToSpace takes images with their channels last.')
    const block = numberOf(attrs, 'blockSize')
    const [n = 1, h = 1, w = 1, c = 1] = x.shape
    const shape = [n, h * block, w * block, c / (block * block)]
    const from = value('x', 'channelsFirst')
    const spread = emit('DepthToSpace', [convert(from, 'float32')], channelsFirstShape(shape), {
      attributes: { blocksize: int(block), mode: text('DCR') },
    })
    return backend.make(convert(spread, from.type), shape, x.dtype, 'channelsFirst')
  })
}
