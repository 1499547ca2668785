import * as tf from '@tensorflow/tfjs-core'
import { emit } from '../../graph/build.ts'
import { sizeOf } from '../../graph/types.ts'
import { uniform } from '../filling.ts'
import { convert } from '../conversion.ts'
import { registerNativeKernel } from '../recorder.ts'

/** An index outside the shape is an error when the graph runs. */
export function registerGatherNd(): void {
  registerNativeKernel(tf.GatherNd, ({ input, value, backend }) => {
    const [params, indices] = [input('params'), input('indices')]
    const shape = [...indices.shape.slice(0, -1), ...params.shape.slice(indices.shape.at(-1) ?? 0)]
    const from = value('params')
    const gathered =
      sizeOf(shape) === 0
        ? uniform(0, shape, from.type)
        : emit('GatherND', [from, convert(value('indices'), 'int64')], shape)
    return backend.make(gathered, shape, params.dtype)
  })
}
