import * as tf from '@tensorflow/tfjs-core'
import { emit, int64s } from '../../graph/build.ts'
import { numbersOf } from '../attributes.ts'
import { arranged } from '../axes.ts'
import { layoutOf, registerNativeKernel } from '../recorder.ts'

export function registerTile(): void {
  registerNativeKernel(tf.Tile, ({ input, value, attrs, backend }) => {
    const x = input('x')
    const reps = numbersOf(attrs, 'reps')
    const shape = x.shape.map((extent, axis) => extent * (reps[axis] ?? 1))
    if (reps.every((count) => count === 1)) return backend.share(x, shape)
    const layout = layoutOf(backend, x)
    const tiled = emit('Tile', [value('x', layout), int64s(arranged(reps, layout))], arranged(shape, layout))
    return backend.make(tiled, shape, x.dtype, layout)
  })
}
