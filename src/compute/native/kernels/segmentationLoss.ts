import { SEGMENTATION_LOSS } from '../../kernels/index.ts'
import { constant, reshape, transpose } from '../graph/build.ts'
import { sizeOf } from '../graph/types.ts'
import { valueIn } from '../tensors.ts'
import { convert } from './conversion.ts'
import { add, binary, divide, isEqual, multiply, subtract, unary } from './math.ts'
import { sumOver, reduceOver } from './reduction/nodes.ts'
import { registerNativeKernel } from './recorder.ts'
import type { Value } from '../graph/types.ts'

/** As in training/loss.ts. */
const SMOOTH = 1

const CHANNELS = 1

/**
 * The loss of segmentation and its gradient: the formulas of kernels/segmentationLossLoops.ts, over values that lie
 * channels first. Pixels are then what is contiguous, where a row of two or three classes would be.
 */
export function registerSegmentationLoss(): void {
  registerNativeKernel(SEGMENTATION_LOSS, ({ input, value, backend }) => {
    const logits = input('logits')
    const count = logits.shape.at(-1) ?? 1
    if (logits.shape.length === 4) {
      const x = valueIn(backend.recorded(logits), 'channelsFirst')
      const [n = 1, , h = 1, w = 1] = x.shape
      const { loss, gradient } = lossOf(x, reshape(value('classes'), [n, 1, h, w]))
      return [backend.make(loss, [], 'float32'), backend.make(gradient, logits.shape, 'float32', 'channelsFirst')]
    }
    const pixels = sizeOf(logits.shape) / count
    const x = reshape(transpose(reshape(value('logits'), [pixels, count]), [1, 0]), [1, count, pixels])
    const { loss, gradient } = lossOf(x, reshape(value('classes'), [1, 1, pixels]))
    const rows = reshape(transpose(reshape(gradient, [count, pixels]), [1, 0]), logits.shape)
    return [backend.make(loss, [], 'float32'), backend.make(rows, logits.shape, 'float32')]
  })
}

/** x is [n, c, ...] and classes are [n, 1, ...]. */
function lossOf(x: Value, classes: Value): { loss: Value; gradient: Value } {
  const count = x.shape[CHANNELS] ?? 1
  const pixels = x.shape.map((_, axis) => axis).filter((axis) => axis !== CHANNELS)
  const shape = x.shape.map((_, axis) => (axis === CHANNELS ? count : 1))
  const numbers = constant(
    Int32Array.from({ length: count }, (_, i) => i),
    shape,
    'int32',
  )
  const isLabel = constant(
    Float32Array.from({ length: count }, (_, i) => (i > 0 ? 1 : 0)),
    shape,
    'float32',
  )
  // A class that is none of these is nowhere true: such a pixel counts for nothing.
  const truth = convert(isEqual(classes, numbers), 'float32')

  const shifted = subtract(x, largest(x))
  const powers = unary('Exp', shifted)
  const sums = sum(powers, [CHANNELS])
  const probabilities = multiply(powers, divide(sum(truth, [CHANNELS]), sums))
  const surprise = multiply(truth, subtract(unary('Log', sums), shifted))

  const counts = sum(truth, pixels)
  const occurs = binary('Min', counts, 1)
  const roots = unary('Sqrt', counts)
  const weights = divide(occurs, binary('Max', multiply(roots, sum(roots, [CHANNELS])), 1))
  const crossEntropy = total(multiply(weights, sum(surprise, pixels)))

  const labels = multiply(occurs, isLabel)
  const labelCount = sum(labels, [CHANNELS])
  const share = divide(labels, binary('Max', labelCount, 1))
  const overlap = sum(multiply(probabilities, truth), pixels)
  const denominator = add(add(sum(probabilities, pixels), counts), SMOOTH)
  const dice = divide(add(multiply(overlap, 2), SMOOTH), denominator)
  const diceLoss = subtract(total(binary('Min', labelCount, 1)), total(multiply(dice, share)))

  // d loss / d p by way of Dice: ofHit at the class's own pixels and ofMiss elsewhere, which differ by -2 / denominator.
  const ofMiss = divide(multiply(dice, share), denominator)
  const hitLess = divide(multiply(share, 2), denominator)
  const byProbability = subtract(ofMiss, multiply(truth, hitLess))
  const weighted = multiply(truth, weights)
  const common = subtract(sum(weighted, [CHANNELS]), sum(multiply(probabilities, byProbability), [CHANNELS]))
  const gradient = subtract(multiply(probabilities, add(byProbability, common)), weighted)
  return { loss: add(crossEntropy, diceLoss), gradient }
}

function kept({ shape }: Value, axes: readonly number[]): number[] {
  return shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent))
}

function sum(x: Value, axes: readonly number[]): Value {
  return sumOver(x, axes, true, kept(x, axes))
}

function largest(x: Value): Value {
  return reduceOver('ReduceMax', x, [CHANNELS], true, kept(x, [CHANNELS]))
}

/** Of all elements, as a scalar. */
function total(x: Value): Value {
  return sumOver(
    x,
    x.shape.map((_, axis) => axis),
    false,
    [],
  )
}
