import * as layers from '@tensorflow/tfjs-layers'
import { one } from './blocks.ts'
import type { Blocks, Symbolic } from './blocks.ts'

/** Fewest channels of which an Inception block can be made: one a branch. */
export const INCEPTION_LEAST = 4

/**
 * An Inception block (Szegedy et al., arXiv 1409.4842, with the 5x5 convolution as two of 3x3, arXiv 1512.00567): four
 * branches side by side, joined to `filters` channels, each convolution with normalization and ReLU. Shares of the channels,
 * and of what a branch is narrowed to first, about those of the article:
 *   a: 1x1, a quarter; b: 1x1 to a quarter, 3x3, half; c: 1x1 to an eighth, 3x3, 3x3, an eighth; d: 3x3 maximum, 1x1, an eighth.
 */
export function inceptionBlock(blocks: Blocks, x: Symbolic, filters: number, name: string): Symbolic {
  const quarter = Math.max(1, Math.floor(filters / 4))
  const eighth = Math.max(1, Math.floor(filters / 8))
  const a = blocks.convolution(x, quarter, `${name}_a`, 1)
  const narrow = blocks.convolution(x, quarter, `${name}_b1`, 1)
  const b = blocks.convolution(narrow, filters - quarter - 2 * eighth, `${name}_b2`)
  const narrower = blocks.convolution(x, eighth, `${name}_c1`, 1)
  const c = blocks.convolution(blocks.convolution(narrower, eighth, `${name}_c2`), eighth, `${name}_c3`)
  const pool = layers.layers.maxPooling2d({ poolSize: 3, strides: 1, padding: 'same', name: `${name}_pool` })
  const d = blocks.convolution(one(pool.apply(x)), eighth, `${name}_d`, 1)
  return one(layers.layers.concatenate({ name: `${name}_join` }).apply([a, b, c, d]))
}
