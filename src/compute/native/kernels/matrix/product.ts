import * as tf from '@tensorflow/tfjs-core'
import { emit, int, transpose } from '../../graph/build.ts'
import { uniform } from '../filling.ts'
import type { Value } from '../../graph/types.ts'

/**
 * The matrix product over the last two dimensions, either side turned first where it says so; the dimensions before them
 * broadcast. Two plain matrices of floats take the operation that turns them on the way.
 */
export function matrixProduct(a: Value, b: Value, turnA: boolean, turnB: boolean): Value {
  const rows = a.shape.at(turnA ? -1 : -2) ?? 1
  const columns = b.shape.at(turnB ? -2 : -1) ?? 1
  const batch = tf.broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2))
  // Of sums of nothing, ONNX Runtime leaves what was in memory before.
  if (a.shape.at(turnA ? -2 : -1) === 0) return uniform(0, [...batch, rows, columns], a.type)
  if (a.shape.length === 2 && b.shape.length === 2 && a.type === 'float32' && (turnA || turnB)) {
    const attributes = { transA: int(turnA ? 1 : 0), transB: int(turnB ? 1 : 0) }
    return emit('Gemm', [a, b], [rows, columns], { attributes })
  }
  return emit('MatMul', [turned(a, turnA), turned(b, turnB)], [...batch, rows, columns])
}

function turned(x: Value, turn: boolean): Value {
  if (!turn) return x
  const order = x.shape.map((_, axis) => axis)
  return transpose(x, [...order.slice(0, -2), order.length - 1, order.length - 2])
}
