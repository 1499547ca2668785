import { float } from '../graph/build.ts'
import { binary, clip, unary } from './math.ts'
import type { Value } from '../graph/types.ts'

export interface Activation {
  /** TensorFlow.js's name of it; linear where it is missing. */
  readonly name: unknown
  /** Of leaky ReLU. */
  readonly alpha: unknown
  /** Of PReLU, as it broadcasts in the value's layout. */
  readonly slope: Value | null
}

/** What the fused kernels (matrix products, convolutions) do with their result. */
export function activated(x: Value, { name, alpha, slope }: Activation): Value {
  switch (name) {
    case undefined:
    case null:
    case 'linear':
      return x
    case 'relu':
      return unary('Relu', x)
    case 'relu6':
      return clip(x, 0, 6)
    case 'elu':
      return unary('Elu', x)
    case 'sigmoid':
      return unary('Sigmoid', x)
    case 'leakyrelu':
      return unary('LeakyRelu', x, { alpha: float(typeof alpha === 'number' ? alpha : 0.2) })
    case 'prelu':
      if (slope === null) throw new Error('PReLU needs its slopes.')
      return binary('PRelu', x, slope)
    default:
      throw new Error(`The activation ${String(name)} is not known.`)
  }
}
