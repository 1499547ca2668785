import * as tf from '@tensorflow/tfjs-core'
import { constant, emit, reshape, text } from '../graph/build.ts'
import { sizeOf } from '../graph/types.ts'
import { convert } from './conversion.ts'
import { registerNativeKernel } from './recorder.ts'

/** Rows of x that have the same number in `segmentIds` are added up: the gradient of gathering. In floats. */
export function registerUnsortedSegmentSum(): void {
  registerNativeKernel(tf.UnsortedSegmentSum, ({ input, value, attrs, backend }) => {
    const [x, ids] = [input('x'), input('segmentIds')]
    const segments = typeof attrs.numSegments === 'number' ? attrs.numSegments : 0
    const shape = [segments, ...x.shape.slice(ids.shape.length)]
    const zeros = constant(new Float32Array(sizeOf(shape)), shape, 'float32')
    const places = reshape(convert(value('segmentIds'), 'int64'), [...ids.shape, 1])
    const sums = emit('ScatterND', [zeros, places, convert(value('x'), 'float32')], shape, {
      attributes: { reduction: text('add') },
    })
    return backend.make(sums, shape, 'float32')
  })
}
