import * as tf from '@tensorflow/tfjs-core'
import { combine } from '../elementwise.ts'
import { convert } from '../conversion.ts'
import { binary } from '../math.ts'
import { elementTypeOf } from '../../tensors.ts'
import { registerNativeKernel } from '../recorder.ts'
import type { Value } from '../../graph/types.ts'

type BinaryWork = (a: Value, b: Value) => Value

export interface BinaryOptions {
  /** In which it is computed where the inputs are no floats; the type that holds both unless given. */
  readonly as?: 'float32' | 'bool'
  /** Of the result; the type that holds both inputs unless given. */
  readonly dtype?: 'int32' | 'bool'
}

/**
 * Registers a kernel of the inputs `a` and `b`, element by element with broadcasting. `work` is ONNX's name of the
 * operation, or makes the nodes; it is given values of one type.
 */
export function registerBinary(kernelName: string, work: string | BinaryWork, options: BinaryOptions = {}): void {
  const compute: BinaryWork = typeof work === 'string' ? (a, b) => binary(work, a, b) : work
  registerNativeKernel(kernelName, ({ input, backend }) => {
    const [a, b] = [input('a'), input('b')]
    const common = tf.upcastType(a.dtype, b.dtype)
    const dtype = options.dtype ?? common
    // Truth values are calculated with as integers, unless it is truth that is asked for.
    const type = options.as ?? (common === 'bool' ? 'int32' : elementTypeOf(common))
    return combine(backend, [a, b], dtype, ([left, right]) => {
      if (left === undefined || right === undefined) throw new Error('Two values were expected.')
      return convert(compute(convert(left, type), convert(right, type)), elementTypeOf(dtype))
    })
  })
}

/** Registers a comparison; it is given numbers of one type and gives truth values. */
export function registerComparison(kernelName: string, work: string | BinaryWork): void {
  registerBinary(kernelName, typeof work === 'string' ? (a, b) => binary(work, a, b, 'bool') : work, { dtype: 'bool' })
}
