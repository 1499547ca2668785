import * as tf from '@tensorflow/tfjs-core'
import { isNumbers, numbersOf } from '../attributes.ts'
import { arranged } from '../axes.ts'
import { layoutOf, registerNativeKernel } from '../recorder.ts'
import { cut } from '../slicing.ts'

export function registerSlice(): void {
  registerNativeKernel(tf.Slice, ({ input, value, attrs, backend }) => {
    const x = input('x')
    const [begin, shape] = sliceParams(x.shape, numbersOf(attrs, 'begin'), sizeOf(attrs))
    const layout = layoutOf(backend, x)
    const cuts = shape.map((size, axis) => ({ begin: begin[axis] ?? 0, size, step: 1 }))
    return backend.make(cut(value('x', layout), arranged(cuts, layout)), shape, x.dtype, layout)
  })
}

/** Everything that remains unless given. */
function sizeOf(attrs: tf.NamedAttrMap): number[] {
  return typeof attrs.size === 'number' || isNumbers(attrs.size) ? numbersOf(attrs, 'size') : []
}

/** For all axes, of what may be given for the first few alone; a size of -1 is all that remains. */
function sliceParams(extents: readonly number[], begin: readonly number[], size: readonly number[]) {
  const from = extents.map((_, axis) => begin[axis] ?? 0)
  const sizes = extents.map((extent, axis) => {
    const [start = 0, given = -1] = [from[axis], size[axis]]
    const count = given < 0 ? extent - start : given
    if (start < 0 || count < 0 || start + count > extent) {
      throw new Error(`Slice: ${count} elements from ${start} are not within ${extents.join(' x ')}.`)
    }
    return count
  })
  return [from, sizes] as const
}
