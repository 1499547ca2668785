import { emit, float, scalar } from '../../graph/build.ts'
import { broadcastable } from '../elementwise.ts'
import { binary, unary } from '../math.ts'
import type { Value } from '../../graph/types.ts'
import type { KernelCall } from '../recorder.ts'

/** What a fused convolution applies to its output y, [n, c, h, w]. */
export function activated({ attrs, input, backend }: KernelCall, y: Value): Value {
  const activation: unknown = attrs.activation
  switch (activation) {
    case undefined:
    case null:
    case 'linear':
      return y
    case 'relu':
      return unary('Relu', y)
    case 'relu6':
      return emit('Clip', [y, scalar(0), scalar(6)], y.shape)
    case 'elu':
      return unary('Elu', y)
    case 'sigmoid':
      return unary('Sigmoid', y)
    case 'leakyrelu': {
      const alpha = typeof attrs.leakyreluAlpha === 'number' ? attrs.leakyreluAlpha : 0.2
      return unary('LeakyRelu', y, { alpha: float(alpha) })
    }
    case 'prelu':
      return binary('PRelu', y, broadcastable(backend, input('preluActivationWeights'), 'channelsFirst'))
    default:
      throw new Error('Convolutions with this activation cannot be recorded.')
  }
}
