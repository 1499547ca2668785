import { totalmem } from 'node:os'
import { openTiled, readImage } from '../../imaging/index.ts'

/** How the backend gets at images; tests put other ways in its place. */
export interface ImageAccess {
  readonly readImage: typeof readImage
  readonly openTiled: typeof openTiled
  /**
   * Images up to so many bytes, decoded, are read to their end before they are on the list: that takes no time, and what is wrong
   * with them is said at once.
   */
  readonly readAtOnce: number
  /** Bytes of opened images in memory, together. */
  readonly budget: number
}

export const imageAccess: ImageAccess = {
  readImage,
  openTiled,
  readAtOnce: 16 * 2 ** 20,
  budget: Math.min(2 ** 31, totalmem() / 4),
}
