import { emit } from '../graph/build.ts'
import { windowAttributes } from '../kernels/image/geometry.ts'
import type { GraphNode, Value } from '../graph/types.ts'
import type { Geometry } from '../kernels/image/geometry.ts'

/**
 * Operations that ONNX does not have, as one node of the domain `maskwright`: lowering (lower.ts) replaces each by the nodes
 * that are fastest where the graph is to run. No session ever sees them. Images are [n, c, h, w].
 */
export const COMPOSITE = 'maskwright'

/** dy [n, o, oh, ow] and filter [rows, columns, c, o] -> the gradient of the convolution by its input [n, c, h, w]. */
export const INPUT_GRADIENT = 'InputGradient'
/** x [n, c, h, w] and dy [n, o, oh, ow] -> the gradient of the convolution by its filter [rows, columns, c, o]. */
export const FILTER_GRADIENT = 'FilterGradient'
/**
 * x [n, c, h, w], y the maximum of each window of it and dy [n, c, oh, ow] -> [n, c, h, w]: each dy at the first pixel of its
 * window, in row order, that holds the maximum.
 */
export const MAX_POOL_GRADIENT = 'MaxPoolGradient'

export function composite(op: string, inputs: readonly Value[], shape: readonly number[], geometry: Geometry): Value {
  return emit(op, inputs, shape, { domain: COMPOSITE, attributes: windowAttributes(geometry) })
}

/** What windowAttributes wrote. */
export function geometryIn({ attributes }: GraphNode): Geometry {
  const numbers = (name: string): readonly number[] => {
    const attribute = attributes[name]
    return attribute?.kind === 'ints' ? attribute.value : []
  }
  const pair = (name: string): [number, number] => {
    const [down = 1, across = 1] = numbers(name)
    return [down, across]
  }
  const [top = 0, left = 0, bottom = 0, right = 0] = numbers('pads')
  return {
    ...{ kernel: pair('kernel_shape'), strides: pair('strides'), dilations: pair('dilations') },
    ...{ top, left, bottom, right },
  }
}
