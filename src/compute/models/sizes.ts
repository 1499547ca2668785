import type { ModelCard } from '../../core/contract/compute.ts'

/**
 * Which sizes of images a network takes. With same convolutions: multiples of the step, and the result is as large. With valid
 * ones each convolution of 3x3 takes a pixel off each side, so that the result is smaller by `margin` at each side, and the
 * size must be even before each max pooling: 572 in and 388 out, or 16 more or fewer, for the four levels of the paper.
 */

/** Pixels that two 3x3 convolutions take off height and width. */
const OFF_A_BLOCK = 4

/** Pixels that level `level` and all below it take off height and width, in pixels of that level. */
function offAt(level: number, levels: number): number {
  return level === levels ? OFF_A_BLOCK : 2 * offAt(level + 1, levels) + 2 * OFF_A_BLOCK
}

/** Pixels to be cut off each side of the skip of a level, so that it is as large as what comes up from below. */
export function cropAt(level: number, levels: number): number {
  return offAt(level + 1, levels)
}

/** By how many pixels the result is smaller than the image, at each side: 92 for four levels. */
export function marginOf({ levels, convolutions }: Pick<Architecture, 'levels' | 'convolutions'>): number {
  return convolutions === 'valid' ? offAt(0, levels) / 2 : 0
}

type Architecture = Pick<ModelCard['architecture'], 'levels' | 'convolutions' | 'step'>

/** Remainder, by the step, of the widths and heights that the network takes: 0 but for valid convolutions. */
export function offsetOf({ levels, convolutions, step }: Architecture): number {
  // Whatever size the deepest level has, going up adds the block's pixels and doubles at each level.
  return convolutions === 'valid' ? (OFF_A_BLOCK * (2 ** levels - 1)) % step : 0
}

/** The smallest width or height that the network takes and that is at least `atLeast` and gives at least one pixel. */
export function inputSize(architecture: Architecture, atLeast: number): number {
  const { step } = architecture
  const least = Math.max(atLeast, 2 * marginOf(architecture) + 1)
  const offset = offsetOf(architecture)
  return Math.ceil((least - offset) / step) * step + offset
}
