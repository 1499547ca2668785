import * as tf from '@tensorflow/tfjs-core'
import { emit, int, reshape, transpose } from '../../graph/build.ts'
import { sizeOf } from '../../graph/types.ts'
import { numberOf } from '../attributes.ts'
import { convert } from '../conversion.ts'
import { registerNativeKernel } from '../recorder.ts'
import type { Value } from '../../graph/types.ts'

/** An index outside the axis is an error when the graph runs. */
export function registerGather(): void {
  registerNativeKernel(tf.GatherV2, ({ input, value, attrs, backend }) => {
    const [x, indices] = [input('x'), input('indices')]
    const [axis = 0] = tf.util.parseAxisParam(numberOf(attrs, 'axis'), x.shape)
    const batchDims = typeof attrs.batchDims === 'number' ? attrs.batchDims : 0
    const { batchSize, outerSize, dimSize, sliceSize, outputShape } =
      tf.backend_util.segment_util.collectGatherOpShapeInfo(x, indices, axis, batchDims)
    const places = convert(value('indices'), 'int64')
    if (batchDims === 0) {
      const gathered = emit('Gather', [value('x'), places], outputShape, { attributes: { axis: int(axis) } })
      return backend.make(gathered, outputShape, x.dtype)
    }
    const count = sizeOf(indices.shape) / batchSize
    const gathered = inBatches(
      reshape(value('x'), [batchSize, outerSize, dimSize, sliceSize]),
      reshape(places, [batchSize, count, 1]),
    )
    return backend.make(reshape(gathered, outputShape), outputShape, x.dtype)
  })
}

/** x [batch, outer, dim, slice], indices [batch, count, 1] -> [batch, outer, count, slice]. */
function inBatches(x: Value, indices: Value): Value {
  const [batch = 1, outer = 1, , slice = 1] = x.shape
  const count = indices.shape[1] ?? 1
  const gathered = emit('GatherND', [transpose(x, [0, 2, 1, 3]), indices], [batch, count, outer, slice], {
    attributes: { batch_dims: int(1) },
  })
  return transpose(gathered, [0, 2, 1, 3])
}
