import * as tf from '@tensorflow/tfjs-core'
import { sizeOf } from '../../graph/types.ts'
import { numberOf } from '../attributes.ts'
import { convert } from '../conversion.ts'
import { registerNativeKernel } from '../recorder.ts'
import { regrouped } from '../reshaping.ts'
import { scatter, zeros } from './scattering.ts'

/** The gradient of gathering: rows of x [n, ...] summed by their segment, in floats. Segments are from 0 to numSegments - 1. */
export function registerUnsortedSegmentSum(): void {
  registerNativeKernel(tf.UnsortedSegmentSum, ({ input, value, attrs, backend }) => {
    const [x, ids] = [input('x'), input('segmentIds')]
    const count = numberOf(attrs, 'numSegments')
    const inner = x.shape.slice(ids.shape.length)
    const shape = [count, ...inner]
    const places = regrouped(convert(value('segmentIds'), 'int64'), [sizeOf(ids.shape)])
    const rows = convert(value('x'), 'float32')
    const sums = scatter(zeros(shape, rows), rows, { rows: count, size: sizeOf(inner), places }, true)
    return backend.make(sums, shape, 'float32')
  })
}
