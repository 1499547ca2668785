import * as tf from '@tensorflow/tfjs-core'
import { constant } from '../../graph/build.ts'
import { dtypeOf, numberOf } from '../attributes.ts'
import { registerNativeKernel } from '../recorder.ts'

/** Range and LinSpace: numbers at equal distances, known at once. */
export function registerSequences(): void {
  registerNativeKernel(tf.Range, ({ attrs, backend }) => {
    const [start, stop] = [numberOf(attrs, 'start'), numberOf(attrs, 'stop')]
    const type = dtypeOf(attrs) === 'int32' ? 'int32' : 'float32'
    const step = stepOf(start, stop, numberOf(attrs, 'step'))
    const count = step === null ? 0 : Math.abs(Math.ceil((stop - start) / step))
    const numbers = sequence(count, start, step ?? 1)
    const elements = type === 'int32' ? Int32Array.from(numbers) : numbers
    return backend.make(constant(elements, [count], type), [count], type)
  })
  registerNativeKernel(tf.LinSpace, ({ attrs, backend }) => {
    const [start, stop, count] = [numberOf(attrs, 'start'), numberOf(attrs, 'stop'), numberOf(attrs, 'num')]
    const elements = sequence(count, start, (stop - start) / (count - 1))
    return backend.make(constant(elements, [count], 'float32'), [count], 'float32')
  })
}

/** A step of 1 counts down as well; null where there is nothing between, as TensorFlow.js has it. */
function stepOf(start: number, stop: number, step: number): number | null {
  if (start === stop || (start < stop && step < 0) || (stop < start && step > 1)) return null
  return stop < start && step === 1 ? -1 : step
}

/** Each is the one before and the step, in single precision. */
function sequence(count: number, start: number, step: number): Float32Array {
  const numbers = new Float32Array(count)
  let next = start
  for (let i = 0; i < count; i++) {
    numbers[i] = next
    next = (numbers[i] ?? 0) + step
  }
  return numbers
}
