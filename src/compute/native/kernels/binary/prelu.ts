import * as tf from '@tensorflow/tfjs-core'
import { binary } from '../math.ts'
import { combine } from '../elementwise.ts'
import { registerNativeKernel } from '../recorder.ts'

/** Negative elements are multiplied by `alpha`, whose shape broadcasts to that of x. */
export function registerPrelu(): void {
  registerNativeKernel(tf.Prelu, ({ input, backend }) =>
    combine(backend, [input('x'), input('alpha')], 'float32', ([x, alpha]) => {
      if (x === undefined || alpha === undefined) throw new Error('Two values were expected.')
      return binary('PRelu', x, alpha)
    }),
  )
}
