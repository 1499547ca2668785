import type { SelfTestNumbers } from './selfTest.ts'

/** From the `js` backend of TensorFlow.js 4.22.0, with its nearest-neighbour gradient put right. */
export const SELF_TEST_REFERENCE: Record<'plain' | 'normalized', SelfTestNumbers> = {
  plain: {
    losses: [2.363349, 1.793404],
    logits: [-101.25276, 8121.1909],
    weights: [
      14.108256, 0.117325, 29.619587, 0.339766, 55.540318, 0.324431, 81.752571, 0.51538, 168.838028, 1.057187,
      233.244965, 1.037643, 143.73671, 0.59522, 83.810371, 0.485984, 51.238979, 0.328296, 29.149052, 0.220644, 7.320549,
      0.192253,
    ],
  },
  normalized: {
    losses: [2.127246, 1.957342],
    logits: [903.571289, 3457.992432],
    weights: [
      14.040627, 29.841866, 57.016403, 81.637253, 167.60852, 234.483917, 145.26004, 84.788185, 51.819927, 29.929098,
      5.671887, 0.210634,
    ],
  },
}
