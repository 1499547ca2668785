import * as tf from '@tensorflow/tfjs-core'
import { int } from '../graph/build.ts'
import { combine } from './elementwise.ts'
import { unary } from './math.ts'
import { layoutOf, registerNativeKernel } from './recorder.ts'

/** Over the last dimension. */
export function registerSoftmax(): void {
  registerOverChannels(tf.Softmax, 'Softmax')
}

/** Its logarithm. */
export function registerLogSoftmax(): void {
  registerOverChannels(tf.LogSoftmax, 'LogSoftmax')
}

function registerOverChannels(kernelName: string, op: string): void {
  registerNativeKernel(kernelName, ({ input, backend }) => {
    const logits = input('logits')
    const axis = logits.shape.length === 4 && layoutOf(backend, logits) === 'channelsFirst' ? 1 : -1
    return combine(backend, [logits], 'float32', ([x]) => {
      if (x === undefined) throw new Error('One value was expected.')
      return unary(op, x, { axis: int(axis) })
    })
  })
}
