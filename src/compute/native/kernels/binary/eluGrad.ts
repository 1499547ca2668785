import * as tf from '@tensorflow/tfjs-core'
import { add, binary, multiply } from '../math.ts'
import { combine } from '../elementwise.ts'
import { registerNativeKernel } from '../recorder.ts'

/** By the output y of ELU: dy where it is above 0, and dy * (y + 1) below. */
export function registerEluGrad(): void {
  registerNativeKernel(tf.EluGrad, ({ input, backend }) =>
    combine(backend, [input('dy'), input('y')], 'float32', ([dy, y]) => {
      if (dy === undefined || y === undefined) throw new Error('Two values were expected.')
      return multiply(dy, add(binary('Min', y, 0), 1))
    }),
  )
}
