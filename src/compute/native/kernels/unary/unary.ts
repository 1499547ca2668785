import { combine } from '../elementwise.ts'
import { asNumbers, convert } from '../conversion.ts'
import { unary } from '../math.ts'
import { elementTypeOf } from '../../tensors.ts'
import { registerNativeKernel } from '../recorder.ts'
import type * as tf from '@tensorflow/tfjs-core'
import type { Value } from '../../graph/types.ts'

/** What a kernel of one tensor computes of it, in the layout in which it lies. */
export type UnaryWork = (x: Value, attrs: tf.NamedAttrMap) => Value

export interface UnaryOptions {
  /** It is defined for integers as well: they are not made floats for it. */
  readonly integers?: boolean
  /** Of the result; the input's unless given. */
  readonly dtype?: 'float32' | 'int32' | 'bool'
}

/**
 * Registers a kernel of the one input `x`, element by element. `work` is ONNX's name of the operation, or makes the nodes.
 * Other types than floats are computed as floats and turned back, as the `js` backend does.
 */
export function registerUnary(kernelName: string, work: string | UnaryWork, options: UnaryOptions = {}): void {
  const compute: UnaryWork = typeof work === 'string' ? (x) => unary(work, x) : work
  registerNativeKernel(kernelName, ({ input, attrs, backend }) => {
    const x = input('x')
    const dtype = options.dtype ?? x.dtype
    return combine(backend, [x], dtype, ([value]) => {
      if (value === undefined) throw new Error('One value was expected.')
      const numbers = options.integers === true ? asNumbers(value) : convert(value, 'float32')
      return convert(compute(numbers, attrs), elementTypeOf(dtype))
    })
  })
}

/** An attribute that is a number. */
export function numberIn(attrs: tf.NamedAttrMap, name: string, otherwise: number): number {
  const value = attrs[name]
  return typeof value === 'number' ? value : otherwise
}
