import type { SelfTestNumbers } from './selfTest.ts'

/** From the `js` backend of TensorFlow.js 4.22.0, with its nearest-neighbour gradient put right. */
export const SELF_TEST_REFERENCE: Record<'plain' | 'normalized', SelfTestNumbers> = {
  plain: {
    losses: [2.562979, 1.812598],
    logits: [-101.252762, 8121.190918],
    weights: [
      14.111802, 0.116744, 29.624868, 0.340492, 55.518826, 0.321862, 81.685768, 0.51827, 168.7052, 1.024354, 233.242081,
      1.041553, 143.527237, 0.590639, 83.607239, 0.470361, 51.305187, 0.328773, 29.072014, 0.200711, 7.331915, 0.183324,
    ],
  },
  normalized: {
    losses: [2.061719, 1.882269],
    logits: [903.571289, 3457.992432],
    weights: [
      14.062792, 29.863153, 57.083969, 81.779846, 167.889175, 234.634735, 145.431381, 84.845978, 51.830933, 29.889555,
      5.67048, 0.244536,
    ],
  },
}
