import * as tf from '@tensorflow/tfjs-core'
import { emitSeveral, int, int64s } from '../../graph/build.ts'
import { isNumbers, numberOf } from '../attributes.ts'
import { arranged, placeOf } from '../axes.ts'
import { layoutOf, registerNativeKernel } from '../recorder.ts'

export function registerSplit(): void {
  registerNativeKernel(tf.SplitV, ({ input, value, attrs, backend }) => {
    const x = input('x')
    const rank = x.shape.length
    const [axis = 0] = tf.util.parseAxisParam(numberOf(attrs, 'axis'), x.shape)
    const sizes = sizesOf(x.shape[axis] ?? 0, attrs.numOrSizeSplits)
    if (sizes.length === 1) return [backend.share(x, x.shape)]
    const layout = layoutOf(backend, x)
    const whole = value('x', layout)
    const shapes = sizes.map((size) => x.shape.with(axis, size))
    const values = emitSeveral(
      'Split',
      [whole, int64s(sizes)],
      shapes.map((shape) => ({ shape: arranged(shape, layout), type: whole.type })),
      { attributes: { axis: int(placeOf(axis, rank, layout)) } },
    )
    return shapes.map((shape, index) => {
      const part = values[index]
      if (part === undefined) throw new Error('Split has an output for each part.')
      return backend.make(part, shape, x.dtype, layout)
    })
  })
}

/** As many equal parts as a number says, or parts of these sizes, one of which may be -1: all that remains. */
function sizesOf(extent: number, parts: unknown): number[] {
  if (typeof parts === 'number') return Array<number>(parts).fill(extent / parts)
  if (!isNumbers(parts)) throw new Error('SplitV takes a number of parts or their sizes.')
  const known = parts.filter((size) => size >= 0).reduce((sum, size) => sum + size, 0)
  return parts.map((size) => (size < 0 ? extent - known : size))
}
