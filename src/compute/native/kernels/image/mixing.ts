import { constant, emit } from '../../graph/build.ts'
import type { Mix } from '../../../kernels/mixtures.ts'
import type { Value } from '../../graph/types.ts'

/**
 * What mixes pixels along rows and columns apart, undone by its gradient: [n, c, oh, ow] -> [n, c, h, w], each pixel the sum of
 * those that it was mixed into, by their weights. Two products with matrices.
 */
export function unmixed(
  dy: Value,
  rows: readonly Mix[],
  columns: readonly Mix[],
  [h, w]: readonly [number, number],
): Value {
  const [n = 1, c = 1, oh = 1, ow = 1] = dy.shape
  const across = emit('MatMul', [dy, matrix(columns, ow, w, ({ out, from }) => out * w + from)], [n, c, oh, w])
  return emit('MatMul', [matrix(rows, h, oh, ({ out, from }) => from * oh + out), across], [n, c, h, w])
}

function matrix(mixes: readonly Mix[], rows: number, columns: number, placeOf: (mix: Mix) => number): Value {
  const elements = new Float32Array(rows * columns)
  for (const mix of mixes) {
    const place = placeOf(mix)
    elements[place] = (elements[place] ?? 0) + mix.weight
  }
  return constant(elements, [rows, columns], 'float32')
}
