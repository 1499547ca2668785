import * as tf from '@tensorflow/tfjs-core'
import { emit, int } from '../../graph/build.ts'
import { add, binary, isEqual, isLess, unary, where } from '../math.ts'
import { quotientAndRest } from './integers.ts'
import { registerBinary } from './binary.ts'
import type { Value } from '../../graph/types.ts'

/** The rest of a / b, with the sign of b. */
export function registerMod(): void {
  registerBinary(tf.Mod, (a, b) => (a.type === 'int32' ? quotientAndRest(a, b).rest : floatRest(a, b)))
}

function floatRest(a: Value, b: Value): Value {
  const shape = tf.broadcast_util.assertAndGetBroadcastShape([...a.shape], [...b.shape])
  // With the sign of a.
  const rest = emit('Mod', [a, b], shape, { attributes: { fmod: int(1) } })
  const opposite = binary('Xor', isLess(rest, 0), isLess(b, 0))
  return where(binary('And', opposite, unary('Not', isEqual(rest, 0))), add(rest, b), rest)
}
