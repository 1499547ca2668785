import { activated as after } from '../activation.ts'
import { broadcastable } from '../elementwise.ts'
import type { Value } from '../../graph/types.ts'
import type { KernelCall } from '../recorder.ts'

/** What a fused convolution applies to its output y, [n, c, h, w]. */
export function activated({ attrs, optional, backend }: KernelCall, y: Value): Value {
  const slopes = optional('preluActivationWeights')
  const slope = slopes === null ? null : broadcastable(backend, slopes, 'channelsFirst')
  return after(y, { name: attrs.activation, alpha: attrs.leakyreluAlpha, slope })
}
